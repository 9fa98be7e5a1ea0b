//go:build e2e

package account_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/labctl/labctl/e2e/ec2/faultproxy"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/provision/ec2"
)

// TestLife goes once through everything: absent, up, up again, down, down again.
func TestLife(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{Pending: 50 * time.Millisecond, ShuttingDown: 50 * time.Millisecond})
	h := got(a.host(t.Context())).or(t)
	if o := got(h.Observe(t.Context())).or(t); o.State != provision.Absent || !strings.Contains(o.Action, "launch t3.large for ") || !strings.Contains(o.Action, "/h") {
		t.Errorf("before: %+v; want absent, and a launch of t3.large at its price", o)
	}
	rec := a.up()
	if m := event.Of[event.Milestone](rec); len(m) != 1 || m[0].Name != provision.MilestoneEngine {
		t.Errorf("milestones %v; want the engine", m)
	}
	checkInstance(t, a, a.one())

	a.heal()
	h = got(a.host(t.Context())).or(t)
	if o := got(h.Observe(t.Context())).or(t); o.State != provision.Current {
		t.Errorf("after: %+v; want current", o)
	}
	a.up()
	if calls := a.proxy.Mutating(); len(calls) != 0 {
		t.Errorf("the second up called %v; want nothing that changes anything", calls)
	}
	a.down()
	a.none()
	a.down()
}

// checkInstance holds an instance to the design.
func checkInstance(t *testing.T, a *account, i types.Instance) {
	t.Helper()
	if m := i.MetadataOptions; m.HttpTokens != types.HttpTokensStateRequired || aws.ToInt32(m.HttpPutResponseHopLimit) != 1 {
		t.Errorf("metadata: tokens %s, %d hops; want required, one", m.HttpTokens, aws.ToInt32(m.HttpPutResponseHopLimit))
	}
	if aws.ToString(i.ImageId) != "ami-0deb12000000000a2" {
		t.Errorf("image %s; want Debian's newest", aws.ToString(i.ImageId))
	}
	if i.KeyName != nil || i.IamInstanceProfile != nil {
		t.Errorf("key pair %s, profile %v; want neither", aws.ToString(i.KeyName), i.IamInstanceProfile)
	}
	tags := map[string]string{}
	for _, tag := range i.Tags {
		tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	for key, want := range map[string]string{ec2.TagLab: a.Lab, ec2.TagHost: "bench", ec2.TagOwner: a.Owner, ec2.TagSpec: "image=debian-12 disk=30"} {
		if tags[key] != want {
			t.Errorf("tag %s = %q; want %q", key, tags[key], want)
		}
	}
	attribute := func(name types.InstanceAttributeName) *sdk.DescribeInstanceAttributeOutput {
		return got(a.direct.DescribeInstanceAttribute(t.Context(), &sdk.DescribeInstanceAttributeInput{InstanceId: i.InstanceId, Attribute: name})).or(t)
	}
	if b := attribute(types.InstanceAttributeNameInstanceInitiatedShutdownBehavior).InstanceInitiatedShutdownBehavior; aws.ToString(b.Value) != "terminate" {
		t.Errorf("a power-off leads to %q; want terminate", aws.ToString(b.Value))
	}
	data := got(base64.StdEncoding.DecodeString(aws.ToString(attribute(types.InstanceAttributeNameUserData).UserData.Value))).or(t)
	if !strings.HasPrefix(string(data), "#cloud-config\n") || strings.Contains(string(data), "PRIVATE") {
		t.Errorf("user data %.40q", data)
	}
	volumes := got(a.direct.DescribeVolumes(t.Context(), &sdk.DescribeVolumesInput{Filters: []types.Filter{{Name: aws.String("attachment.instance-id"), Values: []string{*i.InstanceId}}}})).or(t).Volumes
	if len(volumes) != 1 || !aws.ToBool(volumes[0].Encrypted) || volumes[0].VolumeType != types.VolumeTypeGp3 || aws.ToInt32(volumes[0].Size) != 30 {
		t.Errorf("volumes %+v; want one, encrypted, gp3, 30 GiB", volumes)
	}
	groups := a.groups()
	if len(groups) != 1 || len(i.NetworkInterfaces) != 1 || aws.ToString(i.NetworkInterfaces[0].Groups[0].GroupId) != aws.ToString(groups[0].GroupId) {
		t.Fatalf("groups %+v, interfaces %+v; want one of each, in each other", groups, i.NetworkInterfaces)
	}
	checkIngress(t, groups[0], "203.0.113.7/32")
}

// checkIngress: SSH from one network, and nothing else.
func checkIngress(t *testing.T, g types.SecurityGroup, from ...string) {
	t.Helper()
	var opened []string
	for _, p := range g.IpPermissions {
		for _, r := range p.IpRanges {
			opened = append(opened, fmt.Sprintf("%s to port %d-%d", aws.ToString(r.CidrIp), aws.ToInt32(p.FromPort), aws.ToInt32(p.ToPort)))
		}
	}
	var want []string
	for _, f := range from {
		want = append(want, f+" to port 22-22")
	}
	if slices.Sort(opened); len(g.IpPermissions) != 1 || !slices.Equal(opened, want) {
		t.Errorf("open is %q; want %q", opened, want)
	}
}
