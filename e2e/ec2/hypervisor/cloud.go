package hypervisor

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// cloud is the EC2 API of one region, as its operator sees it.
type cloud struct {
	region string
	ec2    *sdk.Client
}

func newCloud(endpoint, region string) *cloud {
	return &cloud{region: region, ec2: sdk.New(sdk.Options{
		Region: region, BaseEndpoint: aws.String(endpoint), Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})}
}

// instance is what a machine is made from.
type instance struct {
	ID, State       string
	Public, Private netip.Addr // the zero value where there is none
}

// gone is an instance that never comes back.
func (i instance) gone() bool { return i.State == "terminated" || i.State == "shutting-down" }

// on is an instance whose machine runs.
func (i instance) on() bool { return i.State == "running" || i.State == "pending" }

// instances lists the instances of the region by id.
func (c *cloud) instances(ctx context.Context) (map[string]instance, error) {
	all := map[string]instance{}
	pages := sdk.NewDescribeInstancesPaginator(c.ec2, &sdk.DescribeInstancesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Reservations {
			for _, i := range r.Instances {
				// moto shows an instance before it has a state.
				if i.State == nil || i.InstanceId == nil {
					continue
				}
				seen := instance{ID: *i.InstanceId, State: string(i.State.Name)}
				seen.Public, _ = netip.ParseAddr(Address(aws.ToString(i.PublicIpAddress)))
				seen.Private, _ = netip.ParseAddr(aws.ToString(i.PrivateIpAddress))
				all[seen.ID] = seen
			}
		}
	}
	return all, nil
}

// userData is what the instance was launched with, decoded.
func (c *cloud) userData(ctx context.Context, id string) ([]byte, error) {
	out, err := c.attribute(ctx, id, types.InstanceAttributeNameUserData)
	if err != nil || out.UserData == nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(aws.ToString(out.UserData.Value))
	if err != nil {
		return nil, fmt.Errorf("decoding the user-data of %s: %w", id, err)
	}
	return data, nil
}

// poweredOff does what AWS does when a machine has switched itself off.
func (c *cloud) poweredOff(ctx context.Context, id string) (became string, err error) {
	out, err := c.attribute(ctx, id, types.InstanceAttributeNameInstanceInitiatedShutdownBehavior)
	if err != nil {
		return "", err
	}
	if b := out.InstanceInitiatedShutdownBehavior; b != nil && aws.ToString(b.Value) == string(types.ShutdownBehaviorTerminate) {
		return "terminated", c.terminate(ctx, id)
	}
	_, err = c.ec2.StopInstances(ctx, &sdk.StopInstancesInput{InstanceIds: []string{id}})
	return "stopped", err
}

func (c *cloud) terminate(ctx context.Context, id string) error {
	_, err := c.ec2.TerminateInstances(ctx, &sdk.TerminateInstancesInput{InstanceIds: []string{id}})
	// moto looks for the network interface of an instance that was terminated before.
	if err != nil && strings.Contains(err.Error(), ".NotFound") {
		return nil
	}
	return err
}

func (c *cloud) attribute(ctx context.Context, id string, name types.InstanceAttributeName) (*sdk.DescribeInstanceAttributeOutput, error) {
	return c.ec2.DescribeInstanceAttribute(ctx, &sdk.DescribeInstanceAttributeInput{InstanceId: aws.String(id), Attribute: name})
}
