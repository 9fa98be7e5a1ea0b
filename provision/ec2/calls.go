package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// call is one operation of the SDK's client.
type call[I, O any] func(context.Context, *I, ...func(*sdk.Options)) (*O, error)

// calls are the operations that this package uses, and no others. They are taken off the SDK's client one
// by one because a client that the linker can reach by reflection, as every field of a resource can
// be, is linked with all of its 700 operations: 20 MB.
type calls struct {
	AuthorizeSecurityGroupIngress call[sdk.AuthorizeSecurityGroupIngressInput, sdk.AuthorizeSecurityGroupIngressOutput]
	CreateSecurityGroup           call[sdk.CreateSecurityGroupInput, sdk.CreateSecurityGroupOutput]
	CreateTags                    call[sdk.CreateTagsInput, sdk.CreateTagsOutput]
	DeleteSecurityGroup           call[sdk.DeleteSecurityGroupInput, sdk.DeleteSecurityGroupOutput]
	DescribeImages                call[sdk.DescribeImagesInput, sdk.DescribeImagesOutput]
	DescribeInstanceTypes         call[sdk.DescribeInstanceTypesInput, sdk.DescribeInstanceTypesOutput]
	DescribeInstances             call[sdk.DescribeInstancesInput, sdk.DescribeInstancesOutput]
	DescribeNetworkInterfaces     call[sdk.DescribeNetworkInterfacesInput, sdk.DescribeNetworkInterfacesOutput]
	DescribeRegions               call[sdk.DescribeRegionsInput, sdk.DescribeRegionsOutput]
	DescribeSecurityGroups        call[sdk.DescribeSecurityGroupsInput, sdk.DescribeSecurityGroupsOutput]
	DescribeSubnets               call[sdk.DescribeSubnetsInput, sdk.DescribeSubnetsOutput]
	DescribeVolumes               call[sdk.DescribeVolumesInput, sdk.DescribeVolumesOutput]
	DescribeVpcs                  call[sdk.DescribeVpcsInput, sdk.DescribeVpcsOutput]
	GetConsoleOutput              call[sdk.GetConsoleOutputInput, sdk.GetConsoleOutputOutput]
	RevokeSecurityGroupIngress    call[sdk.RevokeSecurityGroupIngressInput, sdk.RevokeSecurityGroupIngressOutput]
	RunInstances                  call[sdk.RunInstancesInput, sdk.RunInstancesOutput]
	StartInstances                call[sdk.StartInstancesInput, sdk.StartInstancesOutput]
	StopInstances                 call[sdk.StopInstancesInput, sdk.StopInstancesOutput]
	TerminateInstances            call[sdk.TerminateInstancesInput, sdk.TerminateInstancesOutput]
}

func callsOf(cfg aws.Config) calls {
	c := sdk.NewFromConfig(cfg)
	return calls{
		AuthorizeSecurityGroupIngress: c.AuthorizeSecurityGroupIngress,
		CreateSecurityGroup:           c.CreateSecurityGroup,
		CreateTags:                    c.CreateTags,
		DeleteSecurityGroup:           c.DeleteSecurityGroup,
		DescribeImages:                c.DescribeImages,
		DescribeInstanceTypes:         c.DescribeInstanceTypes,
		DescribeInstances:             c.DescribeInstances,
		DescribeNetworkInterfaces:     c.DescribeNetworkInterfaces,
		DescribeRegions:               c.DescribeRegions,
		DescribeSecurityGroups:        c.DescribeSecurityGroups,
		DescribeSubnets:               c.DescribeSubnets,
		DescribeVolumes:               c.DescribeVolumes,
		DescribeVpcs:                  c.DescribeVpcs,
		GetConsoleOutput:              c.GetConsoleOutput,
		RevokeSecurityGroupIngress:    c.RevokeSecurityGroupIngress,
		RunInstances:                  c.RunInstances,
		StartInstances:                c.StartInstances,
		StopInstances:                 c.StopInstances,
		TerminateInstances:            c.TerminateInstances,
	}
}

type getCallerIdentity func(context.Context, *sts.GetCallerIdentityInput, ...func(*sts.Options)) (*sts.GetCallerIdentityOutput, error)
