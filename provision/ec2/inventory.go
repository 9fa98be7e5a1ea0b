package ec2

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// instance is what labctl reads of an EC2 instance.
type instance struct {
	ID, Type, Image, Zone string
	State                 string // pending, running, stopping, stopped, shutting-down, terminated
	ReasonCode, Reason    string // why it is in that state, where AWS says so
	Public, Private       string
	Launched              time.Time
	Tags                  map[string]string
	Groups                []string
}

// alive is what costs money, or will again.
func (i instance) alive() bool { return i.State != "terminated" && i.State != "shutting-down" }

// group is what labctl reads of a security group.
type group struct {
	ID, Name, VPC string
	Tags          map[string]string
	Ingress       []types.IpPermission
}

// hostInventory is what AWS shows of one host. It may lag behind what AWS knows.
type hostInventory struct {
	groups    []group    // ours, in whatever VPC
	foreign   []group    // of our name and without our marks
	instances []instance // ours, in all states
}

// observeInventory asks for the host's groups and instances. It changes nothing.
func (h *Host) observeInventory(ctx context.Context) (hostInventory, error) {
	var (
		w          hostInventory
		wg         sync.WaitGroup
		gerr, ierr error
		named      []group
	)
	name := GroupName(h.Ownership.Lab, h.Spec.Name, h.Ownership.Owner)
	wg.Go(func() { named, gerr = h.Client.groups(ctx, filter("group-name", name)) })
	wg.Go(func() { w.instances, ierr = h.Client.instances(ctx, tagFilters(h.marks())...) })
	wg.Wait()
	if gerr != nil {
		return w, gerr
	}
	if ierr != nil {
		return w, ierr
	}
	for _, g := range named {
		switch {
		case h.gone[g.ID]:
		case h.ours(g.Tags):
			w.groups = append(w.groups, g)
		default:
			w.foreign = append(w.foreign, g)
		}
	}
	w.instances = slices.DeleteFunc(w.instances, func(i instance) bool { return !h.ours(i.Tags) })
	return w, nil
}

// alive returns the instances that live, the one that counts first: of several, which only a race
// can leave, all who look must choose the same one.
func (w hostInventory) alive() []instance {
	var living []instance
	for _, i := range w.instances {
		if i.alive() {
			living = append(living, i)
		}
	}
	slices.SortFunc(living, func(a, b instance) int {
		return cmp.Or(a.Launched.Compare(b.Launched), cmp.Compare(a.ID, b.ID))
	})
	return living
}

// dead returns the instances of a group that have ended and are still listed.
func (w hostInventory) dead(groupID string) []instance {
	var dead []instance
	for _, i := range w.instances {
		if !i.alive() && i.Tags[TagGroup] == groupID {
			dead = append(dead, i)
		}
	}
	return dead
}

// groupIn returns our group of a VPC.
func (w hostInventory) groupIn(vpc string) (group, bool) {
	for _, g := range w.groups {
		if g.VPC == vpc {
			return g, true
		}
	}
	return group{}, false
}

func (w hostInventory) String() string {
	var parts []string
	for _, g := range w.groups {
		parts = append(parts, "security group "+g.ID)
	}
	for _, i := range w.instances {
		parts = append(parts, fmt.Sprintf("instance %s (%s)", i.ID, i.State))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// groups lists security groups.
func (c *Client) groups(ctx context.Context, filters ...types.Filter) ([]group, error) {
	var all []group
	in := &sdk.DescribeSecurityGroupsInput{Filters: filters}
	for {
		out, err := c.ec2.DescribeSecurityGroups(ctx, in)
		if err != nil {
			return nil, c.explain("DescribeSecurityGroups", err)
		}
		for _, g := range out.SecurityGroups {
			all = append(all, group{
				ID: aws.ToString(g.GroupId), Name: aws.ToString(g.GroupName), VPC: aws.ToString(g.VpcId),
				Tags: tagsOf(g.Tags), Ingress: g.IpPermissions,
			})
		}
		if aws.ToString(out.NextToken) == "" {
			return all, nil
		}
		in.NextToken = out.NextToken
	}
}

// instances lists instances.
func (c *Client) instances(ctx context.Context, filters ...types.Filter) ([]instance, error) {
	var all []instance
	in := &sdk.DescribeInstancesInput{Filters: filters}
	for {
		out, err := c.ec2.DescribeInstances(ctx, in)
		if err != nil {
			return nil, c.explain("DescribeInstances", err)
		}
		for _, r := range out.Reservations {
			for _, i := range r.Instances {
				all = append(all, read(i))
			}
		}
		if aws.ToString(out.NextToken) == "" {
			return all, nil
		}
		in.NextToken = out.NextToken
	}
}

// read takes from AWS's answer what labctl uses.
func read(i types.Instance) instance {
	found := instance{
		ID: aws.ToString(i.InstanceId), Type: string(i.InstanceType), Image: aws.ToString(i.ImageId),
		Public: aws.ToString(i.PublicIpAddress), Private: aws.ToString(i.PrivateIpAddress),
		Launched: aws.ToTime(i.LaunchTime), Tags: tagsOf(i.Tags),
	}
	if i.State != nil {
		found.State = string(i.State.Name)
	}
	if i.StateReason != nil {
		found.ReasonCode, found.Reason = aws.ToString(i.StateReason.Code), aws.ToString(i.StateReason.Message)
	}
	if i.Placement != nil {
		found.Zone = aws.ToString(i.Placement.AvailabilityZone)
	}
	for _, g := range i.SecurityGroups {
		found.Groups = append(found.Groups, aws.ToString(g.GroupId))
	}
	for _, n := range i.NetworkInterfaces {
		for _, g := range n.Groups {
			found.Groups = append(found.Groups, aws.ToString(g.GroupId))
		}
	}
	return found
}
