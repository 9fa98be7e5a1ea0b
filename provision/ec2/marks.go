package ec2

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/ssh"
)

// The tags of everything that labctl makes in AWS. The first three are the marks: what lacks one
// of them, or has another value in it, is never touched.
const (
	TagLab   = "labctl:lab"
	TagHost  = "labctl:host"
	TagOwner = "labctl:owner"

	TagExpires = "labctl:expires" // RFC 3339, UTC
	TagMade    = "labctl:made"    // RFC 3339, UTC
	TagSpec    = "labctl:spec"    // the part of the declaration that cannot be changed in place
	TagImage   = "labctl:image"   // ami-…, what the image's name meant when the host was made
	TagKey     = "labctl:key"     // fingerprint of the SSH key that the host admits
	TagGroup   = "labctl:group"   // sg-…, on an instance: AWS forgets the groups of one that has ended
)

// GroupName is the name of a host's security group, unique in its VPC: two `up` at once make one.
func GroupName(lab, host, owner string) string {
	sum := sha256.Sum256([]byte(owner))
	return fmt.Sprintf("labctl-%s-%s-%s", lab, host, hex.EncodeToString(sum[:5]))
}

// marks are the tags by which what belongs to this host is known.
func (h *Host) marks() map[string]string {
	return map[string]string{TagLab: h.Ownership.Lab, TagHost: h.Spec.Name, TagOwner: h.Ownership.Owner}
}

// ours tells whether tags are those of this host.
func (h *Host) ours(tags map[string]string) bool {
	for k, v := range h.marks() {
		if tags[k] != v {
			return false
		}
	}
	return true
}

// launchPlan is what every instance of one group is launched with. It is written on the group when
// that is made and read from there after, so that everyone who resumes asks AWS for the same thing.
type launchPlan struct {
	made, expires time.Time
	spec          string
	image         string
	key           string
}

func (p launchPlan) tags() map[string]string {
	return map[string]string{
		TagMade: stamp(p.made), TagExpires: stamp(p.expires), TagSpec: p.spec, TagImage: p.image, TagKey: p.key,
	}
}

func planOf(tags map[string]string) launchPlan {
	made, _ := time.Parse(time.RFC3339, tags[TagMade])
	expires, _ := time.Parse(time.RFC3339, tags[TagExpires])
	return launchPlan{made: made, expires: expires, spec: tags[TagSpec], image: tags[TagImage], key: tags[TagKey]}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// spec is the part of a declaration that a running instance cannot take on.
func (h *Host) spec() string { return fmt.Sprintf("image=%s disk=%d", h.Spec.Image, h.Spec.DiskGiB) }

// fingerprint is that of an authorized_keys line; "" when it is none.
func fingerprint(line string) string {
	f, _ := ssh.Fingerprint(line)
	return f
}

// checkMarks refuses what AWS would not take as the value of a tag.
func (h *Host) checkMarks() error {
	for k, v := range h.marks() {
		bad := strings.IndexFunc(v, func(r rune) bool {
			return !strings.ContainsRune("+-=._:/@ ", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		})
		if v == "" || len(v) > 256 || bad >= 0 {
			return clierr.New(clierr.Usage, "%q cannot be the value of the AWS tag %s", v, k).
				WithNext("Use at most 256 letters, digits and + - = . _ : / @, for example --owner jane@example.org.")
		}
	}
	return nil
}

// specification makes the tags of one kind of resource, in a fixed order: AWS compares requests that
// have the same token.
func specification(kind types.ResourceType, tags map[string]string) types.TagSpecification {
	s := types.TagSpecification{ResourceType: kind}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		s.Tags = append(s.Tags, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return s
}

func tagsOf(tags []types.Tag) map[string]string {
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return m
}

// tagFilters are the conditions that only what carries all the tags meets.
func tagFilters(tags map[string]string) []types.Filter {
	var filters []types.Filter
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		filters = append(filters, filter("tag:"+k, tags[k]))
	}
	return filters
}
