package ec2

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/labctl/labctl/internal/clierr"
)

type instanceType struct {
	name          string
	architectures []string
}

// instanceTypes looks the types up and returns, in the order given, those that the region has. It fails
// when it has none.
func (c *Client) instanceTypes(ctx context.Context, names []string) ([]instanceType, error) {
	known := map[string]instanceType{}
	in := &sdk.DescribeInstanceTypesInput{Filters: []types.Filter{filter("instance-type", names...)}}
	for {
		out, err := c.ec2.DescribeInstanceTypes(ctx, in)
		if err != nil {
			return nil, c.explain("DescribeInstanceTypes", err)
		}
		for _, t := range out.InstanceTypes {
			it := instanceType{name: string(t.InstanceType)}
			if t.ProcessorInfo != nil {
				for _, a := range t.ProcessorInfo.SupportedArchitectures {
					it.architectures = append(it.architectures, string(a))
				}
			}
			known[it.name] = it
		}
		if aws.ToString(out.NextToken) == "" {
			break
		}
		in.NextToken = out.NextToken
	}
	var found []instanceType
	for _, n := range names {
		if it, ok := known[n]; ok {
			found = append(found, it)
		}
	}
	if len(found) == 0 {
		return nil, clierr.New(clierr.Refused, "%s has none of the instance types %s", c.Region, strings.Join(names, ", ")).
			WithNext("`aws ec2 describe-instance-types --region %s` lists those that it has.", c.Region)
	}
	return found, nil
}

// oneArchitecture returns the architecture of the image that all the types can run.
func oneArchitecture(all []instanceType) (string, error) {
	for _, architecture := range []string{"x86_64", "arm64"} {
		fits := !slices.ContainsFunc(all, func(t instanceType) bool { return !slices.Contains(t.architectures, architecture) })
		if fits {
			return architecture, nil
		}
	}
	return "", clierr.New(clierr.Refused, "the instance types do not share an architecture, and all of them start from one image").
		WithNext("Name types of one architecture, such as t3.large and t3a.large, or t4g.large and m7g.large.")
}

type subnet struct{ id, zone string }

// defaultNetwork returns the default VPC and its subnets, by zone.
func (c *Client) defaultNetwork(ctx context.Context) (string, []subnet, error) {
	vpcs, err := c.ec2.DescribeVpcs(ctx, &sdk.DescribeVpcsInput{Filters: []types.Filter{filter("is-default", "true")}})
	if err != nil {
		return "", nil, c.explain("DescribeVpcs", err)
	}
	if len(vpcs.Vpcs) == 0 {
		return "", nil, clierr.New(clierr.Refused, "the account has no default VPC in %s", c.Region).
			WithNext("`aws ec2 create-default-vpc --region %s` makes one (it costs nothing), or use another region.", c.Region)
	}
	vpc := aws.ToString(vpcs.Vpcs[0].VpcId)
	out, err := c.ec2.DescribeSubnets(ctx, &sdk.DescribeSubnetsInput{Filters: []types.Filter{filter("vpc-id", vpc), filter("default-for-az", "true")}})
	if err != nil {
		return "", nil, c.explain("DescribeSubnets", err)
	}
	var all []subnet
	for _, s := range out.Subnets {
		all = append(all, subnet{id: aws.ToString(s.SubnetId), zone: aws.ToString(s.AvailabilityZone)})
	}
	if len(all) == 0 {
		return "", nil, clierr.New(clierr.Refused, "the default VPC %s in %s has no default subnet", vpc, c.Region).
			WithNext("`aws ec2 create-default-subnet --region %s --availability-zone %sa` makes one.", c.Region, c.Region)
	}
	slices.SortFunc(all, func(a, b subnet) int { return cmp.Or(cmp.Compare(a.zone, b.zone), cmp.Compare(a.id, b.id)) })
	return vpc, all, nil
}
