//go:build e2e

package account_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/labctl/labctl/e2e/ec2/faultproxy"
	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/provision/ec2"
)

// launchForeign launches an instance that is not labctl's, with the tags given.
func (a *account) launchForeign(tags map[string]string, groups ...string) string {
	a.Helper()
	in := &sdk.RunInstancesInput{ImageId: aws.String("ami-0deb12000000000a1"), InstanceType: "t3.micro", MinCount: aws.Int32(1), MaxCount: aws.Int32(1)}
	in.SecurityGroupIds = groups
	spec := types.TagSpecification{ResourceType: types.ResourceTypeInstance}
	for k, v := range tags {
		spec.Tags = append(spec.Tags, types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	if len(tags) > 0 {
		in.TagSpecifications = []types.TagSpecification{spec}
	}
	return aws.ToString(got(a.direct.RunInstances(a.Context(), in)).or(a.T).Instances[0].InstanceId)
}

// joinGroup puts a stranger's instance into a group.
func (a *account) joinGroup(id string) string { return a.launchForeign(nil, id) }

func (a *account) terminate(id string) {
	a.Helper()
	got(a.direct.TerminateInstances(a.Context(), &sdk.TerminateInstancesInput{InstanceIds: []string{id}})).or(a.T)
	// moto keeps the volumes and interfaces of instances that were launched without saying what becomes of them.
	for _, n := range got(a.direct.DescribeNetworkInterfaces(a.Context(), &sdk.DescribeNetworkInterfacesInput{})).or(a.T).NetworkInterfaces {
		if n.Attachment != nil && aws.ToString(n.Attachment.InstanceId) == id {
			a.direct.DetachNetworkInterface(a.Context(), &sdk.DetachNetworkInterfaceInput{AttachmentId: n.Attachment.AttachmentId})
			a.direct.DeleteNetworkInterface(a.Context(), &sdk.DeleteNetworkInterfaceInput{NetworkInterfaceId: n.NetworkInterfaceId})
		}
	}
}

// TestForeignInstances: what carries only some of the marks is untouched.
func TestForeignInstances(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	all := map[string]string{ec2.TagLab: a.Lab, ec2.TagHost: "bench", ec2.TagOwner: a.Owner}
	var strangers []string
	for missing := range all {
		tags := map[string]string{}
		for k, v := range all {
			if k != missing {
				tags[k] = v
			}
		}
		strangers = append(strangers, a.launchForeign(tags))
		tags[missing] = "another"
		strangers = append(strangers, a.launchForeign(tags))
	}
	a.up()
	a.down()
	a.lose()
	a.down()
	for _, id := range strangers {
		i := got(a.direct.DescribeInstances(t.Context(), &sdk.DescribeInstancesInput{InstanceIds: []string{id}})).or(t).Reservations[0].Instances[0]
		if i.State.Name != types.InstanceStateNameRunning {
			t.Errorf("%s, which is not this lab's, is %s", id, i.State.Name)
		}
		a.terminate(id)
	}
	t.Logf("%d instances with some of the marks untouched", len(strangers))
}

// TestForeignGroup: a group of the host's name without its marks is refused and stays.
func TestForeignGroup(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	name := ec2.GroupName(a.Lab, "bench", a.Owner)
	vpc := got(a.direct.DescribeVpcs(t.Context(), &sdk.DescribeVpcsInput{Filters: []types.Filter{{Name: aws.String("is-default"), Values: []string{"true"}}}})).or(t).Vpcs[0].VpcId
	made := got(a.direct.CreateSecurityGroup(t.Context(), &sdk.CreateSecurityGroupInput{GroupName: aws.String(name), Description: aws.String("somebody's"), VpcId: vpc})).or(t)
	a.refused("up", clierr.Refused, *made.GroupId, name, "not labctl's")
	a.down()
	left := got(a.direct.DescribeSecurityGroups(t.Context(), &sdk.DescribeSecurityGroupsInput{GroupIds: []string{*made.GroupId}})).or(t)
	if len(left.SecurityGroups) != 1 {
		t.Error("somebody else's group is gone")
	}
	got(a.direct.DeleteSecurityGroup(t.Context(), &sdk.DeleteSecurityGroupInput{GroupId: made.GroupId})).or(t)
}

// TestStrangerInTheGroup: `down` ends what is labctl's, names what is not, and stops there.
func TestStrangerInTheGroup(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	a.up()
	stranger := a.joinGroup(*a.groups()[0].GroupId)
	a.Timing.Gone = 2 * time.Second
	err := a.do(t.Context(), "down", event.Discard)
	a.failedWith(err, clierr.Leftover, "in use by instance "+stranger)
	a.terminate(stranger)
	a.down()
	a.none()
}

// TestTwoOwners: two labs of one name in one account live side by side.
func TestTwoOwners(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	other := a.setup
	other.Owner, other.Home, other.Key = "arn:aws:iam::123456789012:user/joe", t.TempDir(), keyB
	a.up()
	if err := other.do(t.Context(), "up", event.Discard); err != nil {
		t.Fatal(err)
	}
	if n := len(a.instances()); n != 2 {
		t.Errorf("%d instances; want one of each owner", n)
	}
	a.down()
	a.down()
	left := a.one()
	if owners := tagValues(left.Tags, ec2.TagOwner); !slices.Equal(owners, []string{other.Owner}) {
		t.Errorf("the instance of %s is left", owners)
	}
	client := got(a.client(t.Context())).or(t)
	found := got(client.Find(t.Context(), a.Lab, a.Owner, time.Now())).or(t)
	if len(found) != 1 || found[0].Mine || found[0].Owner != other.Owner {
		t.Errorf("found %+v; want the other's alone", found)
	}
	if err := other.do(t.Context(), "down", event.Discard); err != nil {
		t.Fatal(err)
	}
	a.none()
}

// TestFind lists what is the caller's, what is others', and what is expired.
func TestFind(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	a.up()
	lonely := a.launchForeign(map[string]string{ec2.TagLab: a.Lab})
	client := got(a.client(t.Context())).or(t)
	if regions := got(client.Regions(t.Context())).or(t); !slices.Contains(regions, a.Region) || len(regions) < 2 {
		t.Errorf("regions %v; want %s and others", regions, a.Region)
	}
	find := func(me string, later time.Duration) []ec2.Found {
		found, unseen := ec2.FindEverywhere(t.Context(), []*ec2.Client{client}, "", me, time.Now().Add(later))
		if len(unseen) > 0 {
			t.Fatal(unseen)
		}
		return found
	}
	all := find(a.Owner, 0)
	if len(all) != 1 || !all[0].Mine || all[0].Expired || all[0].Lab != a.Lab || all[0].Host != "bench" || len(all[0].Instances) != 1 || all[0].GroupID == "" || len(all[0].Volumes) != 1 {
		t.Fatalf("found %+v; want the lab, whole", all)
	}
	if p := all[0].PerHour; p < 0.08 || p > 0.12 {
		t.Errorf("it costs %g an hour; t3.large with disk and address costs about 0.1", p)
	}
	if later := find(a.Owner, 5*time.Hour); !later[0].Expired {
		t.Error("it is not expired an hour after its time")
	}
	if others := find("somebody", 0); others[0].Mine {
		t.Error("it is somebody else's too")
	}
	// A machine that knows nothing else removes it by what was found.
	a.lose()
	found, unseen, err := ec2.Locate(t.Context(), []*ec2.Client{client}, a.Lab, a.Owner, ec2.SystemClock(), quick())
	if err != nil || len(unseen) > 0 {
		t.Fatal(err, unseen)
	}
	h := got(a.host(t.Context())).or(t)
	h.Spec, h.Ownership, h.PublicKey = found[0].Spec(), found[0].Ownership(), ""
	if err := h.Destroy(t.Context(), event.Discard); err != nil {
		t.Fatal(err)
	}
	if r := strings.Join(h.Removed(), ", "); !strings.Contains(r, "instance i-") || !strings.Contains(r, "security group sg-") {
		t.Errorf("the receipt says %q", r)
	}
	a.terminate(lonely)
	a.none()
}
