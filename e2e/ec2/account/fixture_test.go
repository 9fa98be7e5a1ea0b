//go:build e2e

package account_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/labctl/labctl/e2e/ec2/faultproxy"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/provision/ec2"
)

// regions are worlds of their own in moto. Tests that run side by side have one each.
var regions = make(chan string, 16)

func init() {
	for _, r := range []string{"us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-west-2", "eu-central-1", "eu-north-1", "ap-south-1"} {
		regions <- r
	}
}

// account is one region behind its own proxy, and what a user has there.
type account struct {
	*testing.T
	setup
	proxy  *faultproxy.Proxy
	direct *sdk.Client // past the proxy: the truth
	before []string
}

var labs atomic.Int64

// open takes a region. At the end of the test the account must be as it was.
func open(t *testing.T, o faultproxy.Options) *account {
	t.Helper()
	region := <-regions
	o.Reachable = true
	if o.Console == nil {
		o.Console = func(string) string {
			return "[    0.000000] Linux\r\nLABCTL-STEP starting Docker\r\nLABCTL-HOSTKEY " + hostKey + "\r\n"
		}
	}
	a := &account{T: t, proxy: faultproxy.Start(server.URL, o)}
	a.setup = setup{
		Endpoint: a.proxy.URL(), Region: region, Home: t.TempDir(), Lab: fmt.Sprintf("lab%d", labs.Add(1)), Owner: "arn:aws:iam::123456789012:user/jane",
		Key: keyA, Image: "debian-12", Types: []string{"t3.large"}, Disk: 30, TTL: 4 * time.Hour, Kubernetes: "1.35.4", From: "203.0.113.7/32", Attempts: 3, Timing: quick(),
	}
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion(region), config.WithBaseEndpoint(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	a.direct = sdk.NewFromConfig(cfg)
	a.before = a.inventory()
	t.Cleanup(func() {
		a.record()
		a.proxy.Close()
		defer func() { regions <- region }()
		if t.Failed() {
			a.sweepOut()
			return
		}
		if after := a.inventory(); !slices.Equal(a.before, after) {
			t.Errorf("the account holds\n  %s\nand held before\n  %s", strings.Join(after, "\n  "), strings.Join(a.before, "\n  "))
			a.sweepOut()
		}
	})
	return a
}

// result is what a call returned.
type result[T any] struct {
	value T
	err   error
}

func got[T any](value T, err error) result[T] { return result[T]{value, err} }

// or returns the value, and ends the test when there was an error.
func (r result[T]) or(t *testing.T) T {
	t.Helper()
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r.value
}

// inventory lists everything in the region that could cost money or stand in somebody's way.
func (a *account) inventory() []string {
	a.Helper()
	ctx := context.Background()
	var all []string
	for _, r := range got(a.direct.DescribeInstances(ctx, &sdk.DescribeInstancesInput{})).or(a.T).Reservations {
		for _, i := range r.Instances {
			if i.State.Name != types.InstanceStateNameTerminated {
				all = append(all, "instance "+aws.ToString(i.InstanceId))
			}
		}
	}
	for _, v := range got(a.direct.DescribeVolumes(ctx, &sdk.DescribeVolumesInput{})).or(a.T).Volumes {
		all = append(all, "volume "+aws.ToString(v.VolumeId))
	}
	for _, n := range got(a.direct.DescribeNetworkInterfaces(ctx, &sdk.DescribeNetworkInterfacesInput{})).or(a.T).NetworkInterfaces {
		all = append(all, "network interface "+aws.ToString(n.NetworkInterfaceId))
	}
	for _, g := range got(a.direct.DescribeSecurityGroups(ctx, &sdk.DescribeSecurityGroupsInput{})).or(a.T).SecurityGroups {
		all = append(all, "security group "+aws.ToString(g.GroupId))
	}
	for _, k := range got(a.direct.DescribeKeyPairs(ctx, &sdk.DescribeKeyPairsInput{})).or(a.T).KeyPairs {
		all = append(all, "key pair "+aws.ToString(k.KeyPairId))
	}
	for _, e := range got(a.direct.DescribeAddresses(ctx, &sdk.DescribeAddressesInput{})).or(a.T).Addresses {
		all = append(all, "address "+aws.ToString(e.PublicIp))
	}
	for _, s := range got(a.direct.DescribeSnapshots(ctx, &sdk.DescribeSnapshotsInput{OwnerIds: []string{"self"}})).or(a.T).Snapshots {
		all = append(all, "snapshot "+aws.ToString(s.SnapshotId))
	}
	slices.Sort(all)
	return all
}

// used are the actions that all tests together have called: what the IAM policy must allow.
var used sync.Map

// record notes the calls since the last Heal.
func (a *account) record() {
	for _, c := range a.proxy.Calls() {
		used.Store(c.Service+":"+c.Action, true)
	}
}

// heal ends all faults and forgets the calls.
func (a *account) heal() {
	a.record()
	a.proxy.Heal()
}

// sweepOut removes what a failed test has left, so that the next one starts clean.
func (a *account) sweepOut() {
	ctx := context.Background()
	left := a.inventory()
	for _, what := range left {
		if id, ok := strings.CutPrefix(what, "instance "); ok && !slices.Contains(a.before, what) {
			a.direct.TerminateInstances(ctx, &sdk.TerminateInstancesInput{InstanceIds: []string{id}})
		}
	}
	for _, what := range left {
		if id, ok := strings.CutPrefix(what, "security group "); ok && !slices.Contains(a.before, what) {
			a.direct.DeleteSecurityGroup(ctx, &sdk.DeleteSecurityGroupInput{GroupId: aws.String(id)})
		}
	}
}

// instances lists the instances of the test's lab that have not ended, past the proxy.
func (a *account) instances() []types.Instance {
	a.Helper()
	var all []types.Instance
	out := got(a.direct.DescribeInstances(context.Background(), &sdk.DescribeInstancesInput{
		Filters: []types.Filter{{Name: aws.String("tag:" + ec2.TagLab), Values: []string{a.Lab}}},
	})).or(a.T)
	for _, r := range out.Reservations {
		for _, i := range r.Instances {
			if i.State.Name != types.InstanceStateNameTerminated {
				all = append(all, i)
			}
		}
	}
	return all
}

// groups lists the security groups of the test's lab, past the proxy.
func (a *account) groups() []types.SecurityGroup {
	a.Helper()
	out := got(a.direct.DescribeSecurityGroups(context.Background(), &sdk.DescribeSecurityGroupsInput{
		Filters: []types.Filter{{Name: aws.String("tag:" + ec2.TagLab), Values: []string{a.Lab}}},
	})).or(a.T)
	return out.SecurityGroups
}

// up is `labctl up`, and must succeed.
func (a *account) up() *event.Recorder {
	a.Helper()
	rec := new(event.Recorder)
	if err := a.do(a.Context(), "up", rec); err != nil {
		a.Fatalf("up: %v", err)
	}
	return rec
}

// down is `labctl down`, and must succeed.
func (a *account) down() {
	a.Helper()
	if err := a.do(a.Context(), "down", event.Discard); err != nil {
		a.Fatalf("down: %v", err)
	}
}

// one checks that exactly one instance of the lab is there, and returns it.
func (a *account) one() types.Instance {
	a.Helper()
	all := a.instances()
	if len(all) != 1 {
		a.Fatalf("%d instances of the lab are there; want one", len(all))
	}
	return all[0]
}

// none checks that nothing of the lab is there.
func (a *account) none() {
	a.Helper()
	if n, m := len(a.instances()), len(a.groups()); n+m > 0 {
		a.Fatalf("%d instances and %d security groups of the lab are there; want none; the last calls:\n%s", n, m, a.lastCalls())
	}
}

// lastCalls describes what was called before a test found something amiss.
func (a *account) lastCalls() string {
	calls := a.proxy.Calls()
	var b strings.Builder
	for _, c := range calls[max(0, len(calls)-40):] {
		fmt.Fprintf(&b, "  %s %d %s %s %s\n", c.Action, c.Status, c.Code, c.Form.Get("GroupId"), c.Form.Get("InstanceId.1"))
	}
	return b.String()
}

// lose removes the lab's files: state, journal and all.
func (s setup) lose() error { return os.RemoveAll(s.Home) }

func tagValues(tags []types.Tag, key string) []string {
	var values []string
	for _, t := range tags {
		if aws.ToString(t.Key) == key {
			values = append(values, aws.ToString(t.Value))
		}
	}
	return values
}
