package ec2

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// others are words in the names of images that are neither Debian's nor Ubuntu's, and so lack apt.
var others = []string{
	"amzn", "al2023", "amazon-linux", "rhel", "suse", "sles", "centos", "rocky", "almalinux", "oracle-linux", "fedora", "flatcar",
	"coreos", "bottlerocket", "archlinux", "arch-linux", "alpine", "freebsd",
}

// distribution tells from what AWS says of an image whether setup.sh can equip it: other is what it is, where that
// is something else than Debian or Ubuntu; known is false where nothing says what it is.
func distribution(i types.Image) (other string, known bool) {
	if i.Platform == types.PlatformValuesWindows {
		return "Windows", true
	}
	// AWS's word for what is billed with the image: "Linux/UNIX" for what costs nothing.
	if details := aws.ToString(i.PlatformDetails); details != "" && !strings.HasPrefix(details, "Linux/UNIX") && !strings.HasPrefix(details, "Ubuntu") {
		return details, true
	}
	name := strings.ToLower(aws.ToString(i.Name))
	if said := name + " " + strings.ToLower(aws.ToString(i.Description)); strings.Contains(said, "debian") || strings.Contains(said, "ubuntu") {
		return "", true
	}
	// A description may name what the image is not.
	name = strings.NewReplacer(" ", "-", "_", "-").Replace(name)
	at := slices.IndexFunc(others, func(o string) bool { return strings.Contains(name, o) })
	if at < 0 {
		return "", false
	}
	return others[at], true
}
