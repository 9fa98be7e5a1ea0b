package ec2

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
)

// launch tries the candidates in order until one runs. Each has its own token, made of the group's id
// and its place, so that whoever asks again, after a kill or at the same time, gets the same instance.
func (h *Host) launch(ctx context.Context, sink event.Sink, p *prepared, g group) (instance, error) {
	plan := planOf(g.Tags)
	data, err := h.userData(plan.expires)
	if err != nil {
		return instance{}, err
	}
	var full []string
	notFree := map[string]bool{} // types that the account's plan does not allow, in whatever zone
	for attempt, c := range p.candidates {
		if notFree[c.Type] {
			continue
		}
		sink.Emit(event.Progress{Addr: h.Addr(), Step: fmt.Sprintf("launching %s in %s, %s", c.Type, c.Zone, priceTag(c.Price)), Expect: launchUsually})
		token := fmt.Sprintf("labctl-%s-%d", g.ID, attempt)
		id, err := h.run(ctx, token, h.request(token, c, g, plan, p.rootDevice, data))
		if err != nil && lacksCapacity(errorCode(err)) {
			full = append(full, c.Type+" in "+c.Zone)
			continue
		}
		if notEligible(err) {
			notFree[c.Type] = true
			sink.Emit(event.Notice{Addr: h.Addr(), Warning: true, Text: c.Type + " is not launched: the account is on AWS's free plan, which does not allow it"})
			continue
		}
		if err != nil {
			return instance{}, err
		}
		inst, err := h.awaitState(ctx, sink, id, "running", h.Timing.Running)
		if err != nil {
			return inst, err
		}
		if inst.State == "running" {
			h.launched = id
			return inst, nil
		}
		if !lacksCapacity(inst.ReasonCode) {
			return inst, h.diedPending(inst)
		}
		full = append(full, c.Type+" in "+c.Zone)
	}
	return instance{}, h.noCandidate(full, slices.Sorted(maps.Keys(notFree)))
}

// noCandidate is the error when nothing that the lab file names can be launched.
func (h *Host) noCandidate(full, notFree []string) error {
	var why, next []string
	if len(full) > 0 {
		why = append(why, fmt.Sprintf("AWS has no capacity in %s for any of: %s", h.Client.Region, strings.Join(full, ", ")))
		next = append(next, "Run the same command again later, or name more types in instance_type, or another region.")
	}
	if len(notFree) > 0 {
		why = append(why, "the account is on AWS's free plan, which does not allow "+strings.Join(notFree, ", "))
		next = append(next, fmt.Sprintf("`aws ec2 describe-instance-types --region %s --filters Name=free-tier-eligible,Values=true` lists the types that it allows: name one with 8 GiB in instance_type, or take the account off the free plan.", h.Client.Region))
	}
	return clierr.New(clierr.Failed, "%s", strings.Join(why, "; ")).WithNext("%s", strings.Join(next, " "))
}

// notEligible recognises what AWS answers accounts that may only use what is free. The code stands for much
// else too.
func notEligible(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "InvalidParameterCombination" && strings.Contains(api.ErrorMessage(), "Free Tier")
}

// launchUsually is what RunInstances to running takes on AWS.
const launchUsually = 15 * time.Second

func priceTag(p Price) string {
	if p.Hour() == 0 {
		return "at a price that labctl does not know"
	}
	return p.String() + " (prices of " + PricesAsOf + ")"
}

// request is what is asked of AWS: the same, to the byte, for the same group and candidate.
func (h *Host) request(token string, c candidate, g group, plan launchPlan, rootDevice, userData string) *sdk.RunInstancesInput {
	tags := h.marks()
	maps.Copy(tags, plan.tags())
	tags[TagGroup], tags["Name"] = g.ID, g.Name
	return &sdk.RunInstancesInput{
		ClientToken: aws.String(token), MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		ImageId: aws.String(plan.image), InstanceType: types.InstanceType(c.Type),
		UserData: aws.String(base64.StdEncoding.EncodeToString([]byte(userData))),
		// A host that switches itself off ends, and with it what it costs.
		InstanceInitiatedShutdownBehavior: types.ShutdownBehaviorTerminate,
		// Tokens and one hop keep the pods of the lab away from the metadata.
		MetadataOptions: &types.InstanceMetadataOptionsRequest{
			HttpEndpoint: types.InstanceMetadataEndpointStateEnabled, HttpTokens: types.HttpTokensStateRequired, HttpPutResponseHopLimit: aws.Int32(1),
		},
		BlockDeviceMappings: []types.BlockDeviceMapping{{
			DeviceName: aws.String(rootDevice),
			Ebs: &types.EbsBlockDevice{
				VolumeType: types.VolumeTypeGp3, VolumeSize: aws.Int32(int32(h.Spec.DiskGiB)),
				Encrypted: aws.Bool(true), DeleteOnTermination: aws.Bool(true),
			},
		}},
		NetworkInterfaces: []types.InstanceNetworkInterfaceSpecification{{
			DeviceIndex: aws.Int32(0), SubnetId: aws.String(c.Subnet), Groups: []string{g.ID},
			AssociatePublicIpAddress: aws.Bool(true), DeleteOnTermination: aws.Bool(true),
		}},
		TagSpecifications: []types.TagSpecification{
			specification(types.ResourceTypeInstance, tags),
			specification(types.ResourceTypeVolume, tags),
			specification(types.ResourceTypeNetworkInterface, tags),
		},
	}
}

// run asks for one instance and returns its id.
func (h *Host) run(ctx context.Context, token string, in *sdk.RunInstancesInput) (id string, err error) {
	err = h.act(ctx, "RunInstances", token, func() error {
		out, err := h.Client.ec2.RunInstances(ctx, in)
		if err == nil && len(out.Instances) == 0 {
			return fmt.Errorf("AWS answers without an instance")
		}
		if err == nil {
			id = aws.ToString(out.Instances[0].InstanceId)
		}
		return err
	})
	return id, err
}

// awaitState waits until an instance is shown in a state, or has ended. AWS may not show it at all for
// a while.
func (h *Host) awaitState(ctx context.Context, sink event.Sink, id, wanted string, limit time.Duration) (instance, error) {
	var last instance
	err := h.poll(ctx, limit, "instance "+id+" to be "+wanted, func() (bool, string, error) {
		found, err := h.Client.instances(ctx, filter("instance-id", id))
		if err != nil {
			return false, "", err
		}
		if len(found) == 0 {
			return false, "AWS does not show it yet", nil
		}
		if last.State != found[0].State {
			sink.Emit(event.Progress{Addr: h.Addr(), Step: "instance " + id + " is " + found[0].State})
		}
		last = found[0]
		return last.State == wanted || last.State == "terminated", last.State, nil
	})
	return last, err
}

// diedPending explains an instance that AWS ended before it ran. Its token is used up.
func (h *Host) diedPending(i instance) error {
	return clierr.New(clierr.Failed, "instance %s (%s) ended before it ran: %s: %s", i.ID, i.Type, i.ReasonCode, i.Reason).
		WithNext("%s", deathRemedy(i.ReasonCode))
}

func deathRemedy(code string) string {
	switch {
	case strings.Contains(code, "VolumeLimitExceeded"):
		return "The account's quota of disks is used up; remove some, then run `labctl up` again."
	case strings.Contains(code, "InvalidSnapshot"), strings.Contains(code, "KMS"), strings.Contains(code, "InternalError"):
		return "This is often a KMS key that the account may not use for encrypted disks; check the account's default EBS key, then run `labctl up` again."
	}
	return "Run `labctl up` again; it starts afresh."
}
