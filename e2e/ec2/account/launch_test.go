//go:build e2e

package account_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/labctl/labctl/e2e/ec2/faultproxy"
	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/provision/ec2"
)

func (a *account) count(action string) int {
	n := 0
	for _, c := range a.proxy.Calls() {
		if c.Action == action {
			n++
		}
	}
	return n
}

func TestThrottled(t *testing.T) {
	for _, kind := range []faultproxy.Kind{faultproxy.Throttle400, faultproxy.Throttle503} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			a := open(t, faultproxy.Options{})
			for _, action := range []string{"CreateSecurityGroup", "RunInstances", "DescribeInstances", "DescribeImages", "TerminateInstances", "DeleteSecurityGroup"} {
				a.proxy.Inject(faultproxy.Fault{Kind: kind, Action: action, Times: 2})
			}
			a.up()
			a.one()
			a.down()
			a.none()
			// For good: it ends, within its attempts, and says so.
			a.heal()
			a.proxy.Inject(faultproxy.Fault{Kind: kind, Action: "RunInstances", Times: -1})
			err := a.do(t.Context(), "up", event.Discard)
			a.failedWith(err, clierr.Failed, "RunInstances", "Wait a minute")
			if n := a.count("RunInstances"); n != a.Attempts {
				t.Errorf("RunInstances was called %d times; want %d", n, a.Attempts)
			}
			a.heal()
			a.down()
		})
	}
}

func TestCapacity(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	a.Types = []string{"t3.large", "t3.xlarge"}
	subnets := len(got(a.direct.DescribeSubnets(t.Context(), &sdk.DescribeSubnetsInput{})).or(t).Subnets)
	all := 2 * subnets
	for full := range all {
		a.proxy.Inject(faultproxy.Fault{Kind: faultproxy.NoCapacity, Action: "RunInstances", Times: full})
		if full == 0 {
			a.heal()
		}
		a.up()
		if n := a.count("RunInstances"); n != full+1 {
			t.Errorf("%d candidates without capacity: %d calls; want %d", full, n, full+1)
		}
		if i := a.one(); full >= subnets && i.InstanceType != "t3.xlarge" {
			t.Errorf("all subnets are full for t3.large, and a %s was launched", i.InstanceType)
		}
		a.down()
		a.heal()
	}
	a.proxy.Inject(faultproxy.Fault{Kind: faultproxy.NoCapacity, Action: "RunInstances", Times: -1})
	err := a.do(t.Context(), "up", event.Discard)
	a.failedWith(err, clierr.Failed, "no capacity", "t3.large in", "t3.xlarge in", "instance_type")
	if n := a.count("RunInstances"); n != all {
		t.Errorf("nowhere any capacity: %d calls; want %d", n, all)
	}
	a.heal()
	// When there is capacity again, the next up goes on in the same group.
	a.up()
	a.one()
	if n := a.count("CreateSecurityGroup"); n != 0 {
		t.Errorf("the next up made %d groups more", n)
	}
	a.down()
	t.Logf("%d candidates: each number of them full took one call more than there were", all)
}

// TestTokenWithOtherParameters: an `up` was killed, and the next one asks for something else.
func TestTokenWithOtherParameters(t *testing.T) {
	for _, lag := range lags {
		t.Run(lag.String(), func(t *testing.T) {
			t.Parallel()
			a := open(t, faultproxy.Options{Lag: lag})
			a.Timing.ConsistencyWindow = lag + 200*time.Millisecond
			// AWS has launched, labctl was killed, and the instance is not shown yet.
			a.strikeChild("up", faultproxy.Fault{Kind: faultproxy.KillAfter, Action: "RunInstances"})
			a.heal()
			a.Kubernetes = "1.34.9"
			a.up()
			a.one()
			a.down()
			a.none()
		})
	}
}

func TestDiesWhilePending(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	a.proxy.Inject(faultproxy.Fault{Kind: faultproxy.Dies, Action: "RunInstances"})
	err := a.do(t.Context(), "up", event.Discard)
	a.failedWith(err, clierr.Failed, "ended before it ran", "Server.InternalError", "KMS")
	a.heal()
	a.up()
	a.one()
	a.down()
	a.none()
}

func TestCallerMoved(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	a.up()
	a.From = "198.51.100.9/32"
	h := got(a.host(t.Context())).or(t)
	o := got(h.Observe(t.Context())).or(t)
	if o.State != provision.Drifted || !strings.Contains(o.Action, "open SSH to 198.51.100.9/32") || !strings.Contains(o.Action, "close tcp 22 from 203.0.113.7/32") {
		t.Errorf("%+v; want a plan to open one address and close the other", o)
	}
	a.up()
	checkIngress(t, a.groups()[0], "198.51.100.9/32")
	// What somebody else opened is closed too.
	got(a.direct.AuthorizeSecurityGroupIngress(t.Context(), &sdk.AuthorizeSecurityGroupIngressInput{
		GroupId: a.groups()[0].GroupId, IpProtocol: aws.String("tcp"), FromPort: aws.Int32(6443), ToPort: aws.Int32(6443), CidrIp: aws.String("0.0.0.0/0"),
	})).or(t)
	a.up()
	checkIngress(t, a.groups()[0], "198.51.100.9/32")
	for _, everybody := range []string{"0.0.0.0/0", "0.0.0.0/1,128.0.0.0/1"} {
		a.From = everybody
		rec := a.up()
		checkIngress(t, a.groups()[0], strings.Split(everybody, ",")...)
		if !slices.ContainsFunc(event.Of[event.Notice](rec), func(n event.Notice) bool {
			return n.Warning && strings.Contains(n.Text, "every IPv4 address there is")
		}) {
			t.Errorf("SSH is open to everybody (%s), and nothing warns", everybody)
		}
	}
	a.down()
}

func TestSpecChanged(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*account)
		reason string
	}{
		"disk":  {func(a *account) { a.Disk = 40 }, "disk=30"},
		"image": {func(a *account) { a.Image = "ubuntu-24.04" }, "image=debian-12"},
		"type":  {func(a *account) { a.Types = []string{"t3.xlarge"} }, "it is a t3.large"},
		"key":   {func(a *account) { a.Key, a.Replace = keyB, true }, "SSH key is not here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := open(t, faultproxy.Options{ShuttingDown: 30 * time.Millisecond})
			a.up()
			old := a.one()
			c.change(a)
			o := got(got(a.host(t.Context())).or(t).Observe(t.Context())).or(t)
			if o.State != provision.Drifted || !strings.Contains(o.Action, "replace") || !strings.Contains(o.Reason, c.reason) {
				t.Errorf("%+v; want a plan to replace it, because %s", o, c.reason)
			}
			if !a.Replace {
				a.heal()
				a.refused("up", clierr.Refused, c.reason, "--recreate")
				a.Replace = true
			}
			a.up()
			if now := a.one(); *now.InstanceId == *old.InstanceId {
				t.Error("it was not replaced")
			}
			a.down()
		})
	}
	t.Run("more types", func(t *testing.T) {
		t.Parallel()
		a := open(t, faultproxy.Options{})
		a.up()
		a.Types = []string{"t3.xlarge", "t3.large"}
		if o := got(got(a.host(t.Context())).or(t).Observe(t.Context())).or(t); o.State != provision.Current {
			t.Errorf("%+v; want current: what runs is among the types", o)
		}
		a.down()
	})
}

// TestKeyElsewhere: without a yes, the host of another directory is left alone.
func TestKeyElsewhere(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	a.up()
	a.heal()
	other := *a
	other.Home, other.Key = t.TempDir(), keyB
	other.refused("up", clierr.Refused, "whose SSH key is not here", "labctl down")
	a.one()
	// The state is lost, and the key is not: it is adopted.
	a.lose()
	id := a.one().InstanceId
	a.up()
	if *a.one().InstanceId != *id {
		t.Error("it was replaced")
	}
	a.down()
}

func TestHostThatEndsWhileItIsWaitedFor(t *testing.T) {
	t.Parallel()
	var a *account
	var asked atomic.Int32
	a = open(t, faultproxy.Options{Console: func(id string) string {
		if asked.Add(1) == 2 {
			a.direct.TerminateInstances(t.Context(), &sdk.TerminateInstancesInput{InstanceIds: []string{id}})
		}
		return "booting\n"
	}})
	err := a.do(t.Context(), "up", event.Discard)
	a.failedWith(err, clierr.Failed, "is terminated", "Run `labctl up` again")
	a.proxy.Set(func(o *faultproxy.Options) { o.Console = ready })
	o := got(got(a.host(t.Context())).or(t).Observe(t.Context())).or(t)
	if o.State != provision.Absent || !strings.Contains(o.Reason, "has ended") {
		t.Errorf("%+v; want absent, with why", o)
	}
	a.up()
	a.one()
	a.down()
}

func ready(string) string { return "LABCTL-HOSTKEY " + hostKey + "\r\n" }

// TestLateHostKey: the console is behind; and half a key is no key.
func TestLateHostKey(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	a := open(t, faultproxy.Options{Console: func(string) string {
		switch n := asked.Add(1); {
		case n < 3:
			return ""
		case n < 6:
			return "LABCTL-STEP step " + fmt.Sprint(n) + "\nLABCTL-HOSTKEY " + hostKey[:40] + "[   12.3] kernel: eth0 up\n" + hostKey[40:] + "\n"
		}
		return "LABCTL-STEP step 3\nLABCTL-STEP one\x1b[31m\nLABCTL-HOSTKEY " + hostKey + "\n"
	}})
	rec := a.up()
	steps := event.Of[event.Progress](rec)
	if !slices.ContainsFunc(steps, func(p event.Progress) bool { return p.Step == "one" }) {
		t.Errorf("the console's last step is not shown: %+v", steps)
	}
	for _, p := range steps {
		if strings.ContainsRune(p.Step, '\x1b') {
			t.Errorf("a step holds control characters: %q", p.Step)
		}
	}
	a.down()
}

func TestTwoHostKeys(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{Console: func(string) string {
		return "LABCTL-HOSTKEY " + hostKey + "\nLABCTL-HOSTKEY " + strings.Replace(hostKey, "CCC", "DDD", 1) + "\n"
	}})
	err := a.do(t.Context(), "up", event.Discard)
	a.failedWith(err, clierr.Refused, "two different host keys")
	a.down()
}

// TestBootThatFails: the console's last lines are shown, and the instance goes, or stays if that is wished.
func TestBootThatFails(t *testing.T) {
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprintf("keep %v", keep), func(t *testing.T) {
			t.Parallel()
			a := open(t, faultproxy.Options{Console: func(string) string {
				return ready("") + strings.Repeat("noise\n", 100) + "LABCTL-STEP FAILED: apt-get install docker.io\nthe very last line\n"
			}})
			a.Mute, a.KeepFailed, a.Timing.Boot = true, keep, time.Second
			err := a.do(t.Context(), "up", event.Discard)
			a.failedWith(err, clierr.Failed, "connection refused", "the very last line", "apt-get install docker.io")
			if keep {
				a.one()
				a.down()
			}
			a.none()
		})
	}
}

// TestReadyHostIsNotEnded: what was ready once stays, whatever becomes of SSH.
func TestReadyHostIsNotEnded(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	a.up()
	a.Mute, a.Timing.Boot = true, 500*time.Millisecond
	o := got(got(a.host(t.Context())).or(t).Observe(t.Context())).or(t)
	if o.State != provision.Partial || !strings.Contains(o.Reason, "connection refused") {
		t.Errorf("%+v; want partial, with what SSH says", o)
	}
	err := a.do(t.Context(), "up", event.Discard)
	a.failedWith(err, clierr.Failed, "connection refused", "The host stays")
	a.one()
	a.down()
}

func TestImpostors(t *testing.T) {
	for image, want := range map[string]string{"debian-12": "ami-0deb12000000000a2", "debian-13": "ami-0deb13000000000a1", "ubuntu-24.04": "ami-0ubu24000000000a1", "ami-0deb12000000000a1": "ami-0deb12000000000a1"} {
		t.Run(image, func(t *testing.T) {
			t.Parallel()
			a := open(t, faultproxy.Options{})
			a.Image = image
			a.up()
			if id := aws.ToString(a.one().ImageId); id != want {
				t.Errorf("%s is %s; want %s", image, id, want)
			}
			a.down()
		})
	}
}

func TestExtendStopStart(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{Pending: 20 * time.Millisecond, Stopping: 20 * time.Millisecond})
	a.up()
	before := got(a.host(t.Context())).or(t).State.Expires
	if err := a.do(t.Context(), "extend", event.Discard); err != nil {
		t.Fatal(err)
	}
	h := got(a.host(t.Context())).or(t)
	if d := h.State.Expires.Sub(before); d != time.Hour {
		t.Errorf("extended by %s; want an hour", d)
	}
	for _, tags := range [][]string{tagValues(a.one().Tags, ec2.TagExpires), tagValues(a.groups()[0].Tags, ec2.TagExpires)} {
		if !slices.Equal(tags, []string{h.State.Expires.UTC().Format(time.RFC3339)}) {
			t.Errorf("tagged with %v; want %s", tags, h.State.Expires)
		}
	}
	if o := got(h.Observe(t.Context())).or(t); o.State != provision.Current {
		t.Errorf("%+v; want current", o)
	}
	for range 2 {
		if err := a.do(t.Context(), "stop", event.Discard); err != nil {
			t.Fatal(err)
		}
	}
	h = got(a.host(t.Context())).or(t)
	if o := got(h.Observe(t.Context())).or(t); o.State != provision.Partial || !strings.Contains(o.Action, "start instance") {
		t.Errorf("%+v; want partial, and a start", o)
	}
	if c := h.Cost(); !c.Known || c.PerHour < 0.002 || c.PerHour > 0.006 {
		t.Errorf("a stopped host costs %+v an hour; want the disk alone", c)
	}
	_, err := h.Extend(t.Context(), event.Discard, time.Hour)
	a.failedWith(err, clierr.Refused, "labctl start")
	// Its time is up long since: it gets its whole time again.
	a.Later = 10 * time.Hour
	if err := a.do(t.Context(), "start", event.Discard); err != nil {
		t.Fatal(err)
	}
	h = got(a.host(t.Context())).or(t)
	if left := time.Until(h.State.Expires); left < 13*time.Hour+50*time.Minute || left > 14*time.Hour {
		t.Errorf("after start it has %s; want the four hours from then", left)
	}
	if o := got(h.Observe(t.Context())).or(t); o.State != provision.Current {
		t.Errorf("%+v; want current", o)
	}
	if err := a.do(t.Context(), "start", event.Discard); err != nil {
		t.Fatal(err)
	}
	a.one()
	a.down()
}

// TestExpired: the host has ended itself; `up` makes a new one, `down` cleans up behind it.
func TestExpired(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	for _, next := range []string{"up", "down"} {
		a.up()
		a.direct.TerminateInstances(t.Context(), &sdk.TerminateInstancesInput{InstanceIds: []string{*a.one().InstanceId}})
		if err := a.do(t.Context(), next, event.Discard); err != nil {
			t.Fatal(err)
		}
		if next == "up" {
			a.one()
			a.down()
		}
		a.none()
	}
}

// TestFreePlan: an account that may only use what is free gets the first type that it may, asked for once each.
func TestFreePlan(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	a.Types = []string{"t3.large", "t3.xlarge"}
	a.proxy.Inject(faultproxy.Fault{Kind: faultproxy.NotFree, Action: "RunInstances", Type: "t3.large", Times: -1})
	rec := a.up()
	if i := a.one(); i.InstanceType != "t3.xlarge" {
		t.Errorf("a %s was launched; want the type that is allowed", i.InstanceType)
	}
	if n := a.count("RunInstances"); n != 2 {
		t.Errorf("%d calls; want one for each type", n)
	}
	if !slices.ContainsFunc(event.Of[event.Notice](rec), func(n event.Notice) bool {
		return n.Warning && strings.Contains(n.Text, "t3.large is not launched") && strings.Contains(n.Text, "free plan")
	}) {
		t.Error("nothing says why it is another type")
	}
	a.down()
	a.heal()
	a.proxy.Inject(faultproxy.Fault{Kind: faultproxy.NotFree, Action: "RunInstances", Times: -1})
	err := a.do(t.Context(), "up", event.Discard)
	a.failedWith(err, clierr.Failed, "free plan, which does not allow t3.large, t3.xlarge", "free-tier-eligible")
	a.heal()
	a.down()
	a.none()
}

// TestWrongClock: a host lives for its ttl by AWS's clock, whatever this machine's says, and is expired by it.
func TestWrongClock(t *testing.T) {
	for _, ahead := range []time.Duration{7 * time.Hour, -7 * time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			t.Parallel()
			a := open(t, faultproxy.Options{Ahead: ahead})
			rec := a.up()
			expires := tagValues(a.one().Tags, ec2.TagExpires)
			at, err := time.Parse(time.RFC3339, strings.Join(expires, ""))
			if left := time.Until(at) - ahead; err != nil || left < a.TTL-time.Minute || left > a.TTL {
				t.Errorf("it has %s by AWS's clock (%v, %v); want %s", left, expires, err, a.TTL)
			}
			if !slices.ContainsFunc(event.Of[event.Notice](rec), func(n event.Notice) bool {
				return n.Warning && strings.Contains(n.Text, "7h ") && strings.Contains(n.Text, "this machine's clock is")
			}) {
				t.Error("nothing says that this machine's clock is wrong")
			}
			// By this machine's clock one that is ahead of AWS's would be expired.
			if rows, _ := a.gc(6, "--dry-run"); len(rows) != 1 || rows[0].Remove {
				t.Errorf("gc says %+v; want it kept, since its time is not up", rows)
			}
			a.down()
		})
	}
}
