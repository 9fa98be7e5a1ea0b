//go:build e2e

package account_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
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

// refused checks that an act fails with a class and words, and has changed nothing.
func (a *account) refused(act string, class clierr.Class, words ...string) {
	a.Helper()
	err := a.do(a.Context(), act, event.Discard)
	a.failedWith(err, class, words...)
	if calls := a.proxy.Mutating(); len(calls) > 0 {
		a.Errorf("it was refused after %v", calls)
	}
}

func (a *account) failedWith(err error, class clierr.Class, words ...string) {
	a.Helper()
	if err == nil {
		a.Fatal("no error")
	}
	text := err.Error() + "\n" + clierr.NextOf(err)
	if clierr.ClassOf(err) != class {
		a.Errorf("class %s; want %s: %s", clierr.ClassOf(err), class, text)
	}
	if clierr.NextOf(err) == "" {
		a.Errorf("nothing is said about what to do next: %s", err)
	}
	for _, w := range words {
		if !strings.Contains(text, w) {
			a.Errorf("it says nothing of %q: %s", w, text)
		}
	}
	if strings.Contains(text, faultproxy.SecretBlob) {
		a.Errorf("it shows what is for AWS alone: %s", text)
	}
}

func TestRefusedBeforeAnyAct(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*account)
		words  []string
	}{
		"too dear":               {func(a *account) { a.MaxPrice = 0.05 }, []string{"max_price is $0.05/h", "t3.large at $0.", ec2.PricesAsOf}},
		"price unknown":          {func(a *account) { a.Types = []string{"i3en.large"} }, []string{"does not know i3en.large in", "--yes"}},
		"no such type":           {func(a *account) { a.Types = []string{"t9.large"} }, []string{"none of the instance types t9.large"}},
		"architectures differ":   {func(a *account) { a.Types = []string{"t3.large", "t4g.large"} }, []string{"do not share an architecture"}},
		"no such image":          {func(a *account) { a.Image = "ami-0123456789abcdef0" }, []string{"no image ami-0123456789abcdef0"}},
		"image not for the type": {func(a *account) { a.Image = "ami-0deb12000000000a3" }, []string{"no image ami-0deb12000000000a3 for x86_64"}},
		"image without apt":      {func(a *account) { a.Image = "ami-0a12023000000000a1" }, []string{"is no Debian and no Ubuntu, but al2023", "debian-12"}},
		"callers of IPv6 alone":  {func(a *account) { a.From = "2001:db8::7/128" }, []string{"2001:db8::7/128, which is IPv6 alone", "IPv4"}},
		"disk too small":         {func(a *account) { a.Disk = 8 }, []string{"disk_gib is 8", "needs at least 15"}},
		"owner is no tag value":  {func(a *account) { a.Owner = "jane;rm" }, nil},
		"another account":        {func(a *account) { a.remembered(ec2.HostState{Account: "999999999999"}) }, []string{"account 999999999999", "123456789012", "AWS_PROFILE"}},
		"another region":         {func(a *account) { a.remembered(ec2.HostState{Region: "sa-east-1"}) }, []string{"sa-east-1", "labctl down"}},
		"credentials expired": {func(a *account) {
			a.proxy.Inject(faultproxy.Fault{Kind: faultproxy.Expired, Action: "GetCallerIdentity", Times: -1})
		}, []string{"expired", "aws sso login"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := open(t, faultproxy.Options{})
			c.change(a)
			class := clierr.Refused
			if name == "owner is no tag value" {
				class = clierr.Usage
			}
			a.refused("up", class, c.words...)
			a.none()
		})
	}
}

// remembered writes a host state as if an earlier `up` had.
func (a *account) remembered(s ec2.HostState) {
	a.Helper()
	data := got(json.Marshal(s)).or(a.T)
	dir := filepath.Join(a.Home, "labs", a.Lab)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		a.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, hostFile), data, 0o600); err != nil {
		a.Fatal(err)
	}
}

func TestNoCredentials(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	cmd, out, err := a.spawn("up", "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=")
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(out.String(), "no AWS credentials are found") {
		t.Errorf("up ended with %v: %s", err, out)
	}
	if n := len(a.proxy.Calls()); n > 0 {
		t.Errorf("%d calls were made", n)
	}
}

func TestNoRegion(t *testing.T) {
	_, err := ec2.NewClient(t.Context(), ec2.ClientOptions{})
	if clierr.ClassOf(err) != clierr.Usage {
		t.Errorf("%v; want a usage error", err)
	}
}

func TestNoDefaultVPC(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	a.Region = "sa-east-1" // no other test's
	client := sdk.NewFromConfig(aws.Config{Region: a.Region, BaseEndpoint: aws.String(server.URL), Credentials: aws.CredentialsProviderFunc(
		func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		})})
	for _, v := range got(client.DescribeVpcs(t.Context(), &sdk.DescribeVpcsInput{})).or(t).Vpcs {
		in := []types.Filter{{Name: aws.String("vpc-id"), Values: []string{*v.VpcId}}}
		for _, s := range got(client.DescribeSubnets(t.Context(), &sdk.DescribeSubnetsInput{Filters: in})).or(t).Subnets {
			got(client.DeleteSubnet(t.Context(), &sdk.DeleteSubnetInput{SubnetId: s.SubnetId})).or(t)
		}
		got(client.DeleteVpc(t.Context(), &sdk.DeleteVpcInput{VpcId: v.VpcId})).or(t)
	}
	a.refused("up", clierr.Refused, "no default VPC in sa-east-1", "create-default-vpc")
}

// TestUnknownPriceAccepted: the question can be answered with yes.
func TestUnknownPriceAccepted(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	a.Types, a.Price = []string{"i3en.large"}, true
	rec := a.up()
	a.one()
	warned := false
	for _, n := range event.Of[event.Notice](rec) {
		warned = warned || n.Warning && strings.Contains(n.Text, "does not know what i3en.large costs")
	}
	if !warned {
		t.Error("it did not warn that the price is unknown")
	}
	a.down()
}

// TestDeniedActions denies each action of the policy in turn. What labctl says names the action and prints
// the policy; when it is allowed again, everything converges.
func TestDeniedActions(t *testing.T) {
	var actions []string
	for _, a := range got(policyActions()).or(t) {
		if service, action, _ := strings.Cut(a, ":"); service == "ec2" && action != "DescribeRegions" {
			actions = append(actions, action)
		}
	}
	if len(actions) < 15 {
		t.Fatalf("the policy allows %q alone", actions)
	}
	for _, action := range actions {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			a := open(t, faultproxy.Options{ShuttingDown: 20 * time.Millisecond})
			a.proxy.Inject(faultproxy.Fault{Kind: faultproxy.Denied, Action: action, Times: -1})
			err := a.wholeLife()
			if action == "DescribeNetworkInterfaces" && err == nil {
				// Asked only to name what is in a group that cannot be deleted.
				a.proxy.Inject(faultproxy.Fault{Kind: faultproxy.Denied, Action: action, Times: -1})
				a.up()
				stranger := a.joinGroup(*a.groups()[0].GroupId)
				err = a.do(t.Context(), "down", event.Discard)
				a.terminate(stranger)
			}
			if err == nil {
				t.Fatal("nothing was denied")
			}
			class := clierr.Failed
			if strings.HasPrefix(action, "Describe") || strings.HasPrefix(action, "Get") {
				class = clierr.Refused
			}
			if c := clierr.ClassOf(err); c == clierr.Leftover {
				class = c // in `down`, what counts is that something is left
			}
			a.failedWith(err, class, "ec2:"+action, `"Version": "2012-10-17"`)
			a.heal()
			a.down()
			a.none()
		})
	}
}

// wholeLife calls every action that labctl ever calls.
func (a *account) wholeLife() error {
	from := a.From
	defer func() { a.From = from }()
	for _, act := range []string{"up", "extend", "stop", "start", "up from elsewhere", "down"} {
		if act == "up from elsewhere" {
			act, a.From = "up", "198.51.100.9/32"
		}
		if err := a.do(a.Context(), act, event.Discard); err != nil {
			return err
		}
	}
	return nil
}

func TestTerminationProtection(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	a.up()
	id := a.one().InstanceId
	protect := func(on bool) {
		got(a.direct.ModifyInstanceAttribute(t.Context(), &sdk.ModifyInstanceAttributeInput{
			InstanceId: id, DisableApiTermination: &types.AttributeBooleanValue{Value: aws.Bool(on)},
		})).or(t)
	}
	protect(true)
	err := a.do(t.Context(), "down", event.Discard)
	a.failedWith(err, clierr.Leftover, "protection", "no-disable-api-termination", *id)
	a.one()
	// moto takes the string "False" for true, so the proxy's world goes on without the attribute.
	got(a.direct.ModifyInstanceAttribute(t.Context(), &sdk.ModifyInstanceAttributeInput{
		InstanceId: id, Attribute: types.InstanceAttributeNameDisableApiTermination, Value: aws.String(""),
	})).or(t)
	a.down()
	a.none()
}

// TestNothingAnswers: a host that runs and at whose address nothing answers ends the waiting early, and says what
// SSH is let in from and what may be wrong.
func TestNothingAnswers(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	a.Silent, a.Doubt = true, "a proxy has asked for the address"
	a.Timing.Boot, a.Timing.Reach = time.Minute, 50*time.Millisecond
	rec := new(event.Recorder)
	err := a.do(t.Context(), "up", rec)
	a.failedWith(err, clierr.Failed, "nothing answers at", "SSH is let in from "+a.From, a.Doubt, "The host was removed")
	if !slices.ContainsFunc(event.Of[event.Notice](rec), func(n event.Notice) bool { return n.Warning && n.Text == a.Doubt }) {
		t.Error("the doubt is not told before anything is made")
	}
	a.none()
}
