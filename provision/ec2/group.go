package ec2

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
)

// createGroup makes the host's group with all its tags. The name is unique in the VPC, so of many who
// try at once one succeeds; for the others exists is true.
func (h *Host) createGroup(ctx context.Context, vpc string, plan launchPlan) (id string, exists bool, err error) {
	name := GroupName(h.Ownership.Lab, h.Spec.Name, h.Ownership.Owner)
	tags := h.marks()
	maps.Copy(tags, plan.tags())
	tags["Name"] = name
	err = h.act(ctx, "CreateSecurityGroup", name, func() error {
		out, err := h.Client.ec2.CreateSecurityGroup(ctx, &sdk.CreateSecurityGroupInput{
			GroupName: aws.String(name), VpcId: aws.String(vpc),
			Description:       aws.String("labctl: lab " + h.Ownership.Lab + ", host " + h.Spec.Name),
			TagSpecifications: []types.TagSpecification{specification(types.ResourceTypeSecurityGroup, tags)},
		})
		if errorCode(err) == "InvalidGroup.Duplicate" {
			exists = true
			return nil
		}
		if err == nil {
			id = aws.ToString(out.GroupId)
		}
		return err
	})
	return id, exists, err
}

// deletion is what became of an attempt to delete a group.
type deletion int

const (
	groupInUse   deletion = iota // AWS refuses: something is in it, shown or not
	groupUnknown                 // AWS knows no such group: it is gone, or not known everywhere yet
	groupDeleted                 // and so nothing was in it
)

// deleteGroup deletes a group. AWS refuses while anything is in it: a group that could be deleted proves
// that no instance is left.
func (h *Host) deleteGroup(ctx context.Context, id string) (deletion, error) {
	end := groupDeleted
	err := h.act(ctx, "DeleteSecurityGroup", id, func() error {
		_, err := h.Client.ec2.DeleteSecurityGroup(ctx, &sdk.DeleteSecurityGroupInput{GroupId: aws.String(id)})
		switch errorCode(err) {
		case "DependencyViolation", "InvalidGroup.InUse":
			end = groupInUse
			return nil
		case "InvalidGroup.NotFound", "InvalidGroupId.NotFound", "InvalidGroupID.NotFound":
			end = groupUnknown
			return nil
		}
		return err
	})
	if err != nil {
		return groupInUse, err
	}
	if end != groupInUse {
		if h.gone == nil {
			h.gone = map[string]bool{}
		}
		h.gone[id] = true
	}
	return end, nil
}

// users lists what is in a group, for a message: whoever put it there.
func (c *Client) users(ctx context.Context, groupID string) ([]string, error) {
	out, err := c.ec2.DescribeNetworkInterfaces(ctx, &sdk.DescribeNetworkInterfacesInput{Filters: []types.Filter{filter("group-id", groupID)}})
	if err != nil {
		return nil, c.explain("DescribeNetworkInterfaces", err)
	}
	var names []string
	for _, n := range out.NetworkInterfaces {
		name := "network interface " + aws.ToString(n.NetworkInterfaceId)
		if n.Attachment != nil && n.Attachment.InstanceId != nil {
			name = "instance " + aws.ToString(n.Attachment.InstanceId)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

const sshPort = 22

// ingress compares what is open with what should be: SSH from the given networks and nothing else.
func ingress(have []types.IpPermission, from []netip.Prefix) (missing []netip.Prefix, surplus []types.IpPermission) {
	wanted := map[string]bool{}
	for _, p := range from {
		wanted[p.String()] = true
	}
	for _, perm := range have {
		ssh := aws.ToString(perm.IpProtocol) == "tcp" && aws.ToInt32(perm.FromPort) == sshPort && aws.ToInt32(perm.ToPort) == sshPort
		extra := types.IpPermission{
			IpProtocol: perm.IpProtocol, FromPort: perm.FromPort, ToPort: perm.ToPort,
			UserIdGroupPairs: perm.UserIdGroupPairs, PrefixListIds: perm.PrefixListIds,
		}
		for _, r := range perm.IpRanges {
			if cidr := aws.ToString(r.CidrIp); ssh && wanted[cidr] {
				delete(wanted, cidr)
			} else {
				extra.IpRanges = append(extra.IpRanges, types.IpRange{CidrIp: r.CidrIp})
			}
		}
		for _, r := range perm.Ipv6Ranges {
			if cidr := aws.ToString(r.CidrIpv6); ssh && wanted[cidr] {
				delete(wanted, cidr)
			} else {
				extra.Ipv6Ranges = append(extra.Ipv6Ranges, types.Ipv6Range{CidrIpv6: r.CidrIpv6})
			}
		}
		if len(extra.IpRanges)+len(extra.Ipv6Ranges)+len(extra.UserIdGroupPairs)+len(extra.PrefixListIds) > 0 {
			surplus = append(surplus, extra)
		}
	}
	for _, p := range from {
		if wanted[p.String()] {
			missing = append(missing, p)
		}
	}
	return missing, surplus
}

// converge the group's rules: what is missing is opened first, so that a connection from there can be
// made at any moment, then all else is closed.
func (h *Host) convergeIngress(ctx context.Context, sink event.Sink, g group, from []netip.Prefix) error {
	missing, surplus := ingress(g.Ingress, from)
	if len(missing) > 0 {
		sink.Emit(event.Progress{Addr: h.Addr(), Step: "opening SSH to " + join(missing)})
		err := h.act(ctx, "AuthorizeSecurityGroupIngress", g.ID, func() error {
			_, err := h.Client.ec2.AuthorizeSecurityGroupIngress(ctx, &sdk.AuthorizeSecurityGroupIngressInput{
				GroupId: aws.String(g.ID), IpPermissions: []types.IpPermission{sshFrom(missing)},
			})
			if errorCode(err) == "InvalidPermission.Duplicate" {
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if len(surplus) == 0 {
		return nil
	}
	sink.Emit(event.Progress{Addr: h.Addr(), Step: "closing " + describePermissions(surplus)})
	return h.act(ctx, "RevokeSecurityGroupIngress", g.ID, func() error {
		_, err := h.Client.ec2.RevokeSecurityGroupIngress(ctx, &sdk.RevokeSecurityGroupIngressInput{GroupId: aws.String(g.ID), IpPermissions: surplus})
		if errorCode(err) == "InvalidPermission.NotFound" {
			return nil
		}
		return err
	})
}

func sshFrom(from []netip.Prefix) types.IpPermission {
	p := types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(sshPort), ToPort: aws.Int32(sshPort)}
	for _, prefix := range from {
		if prefix.Addr().Is4() {
			p.IpRanges = append(p.IpRanges, types.IpRange{CidrIp: aws.String(prefix.String()), Description: aws.String("labctl")})
		} else {
			p.Ipv6Ranges = append(p.Ipv6Ranges, types.Ipv6Range{CidrIpv6: aws.String(prefix.String()), Description: aws.String("labctl")})
		}
	}
	return p
}

func join(all []netip.Prefix) string {
	var parts []string
	for _, p := range all {
		parts = append(parts, p.String())
	}
	return strings.Join(parts, ", ")
}

func describePermissions(all []types.IpPermission) string {
	var parts []string
	for _, p := range all {
		ports := aws.ToString(p.IpProtocol)
		if p.FromPort != nil {
			ports += fmt.Sprintf(" %d", *p.FromPort)
			if aws.ToInt32(p.ToPort) != *p.FromPort {
				ports += fmt.Sprintf("-%d", aws.ToInt32(p.ToPort))
			}
		}
		for _, r := range p.IpRanges {
			parts = append(parts, ports+" from "+aws.ToString(r.CidrIp))
		}
		for _, r := range p.Ipv6Ranges {
			parts = append(parts, ports+" from "+aws.ToString(r.CidrIpv6))
		}
		if len(p.UserIdGroupPairs)+len(p.PrefixListIds) > 0 {
			parts = append(parts, ports+" from other groups")
		}
	}
	return strings.Join(parts, ", ")
}

// refuseForeign refuses a group that has the host's name and not its marks.
func refuseForeign(g group, marks map[string]string) error {
	return clierr.New(clierr.Refused, "the security group %s is called %s, which is this host's name, and lacks labctl's tags %v", g.ID, g.Name, slices.Sorted(maps.Keys(marks))).
		WithNext("It is not labctl's, so it stays as it is. Rename the lab or the host, or remove the group yourself.")
}
