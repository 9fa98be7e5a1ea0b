package ec2

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/labctl/labctl/internal/clierr"
)

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, s := range texts {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

func rule(protocol string, from, to int32, cidrs ...string) types.IpPermission {
	p := types.IpPermission{IpProtocol: aws.String(protocol), FromPort: aws.Int32(from), ToPort: aws.Int32(to)}
	for _, c := range cidrs {
		if strings.Contains(c, ":") {
			p.Ipv6Ranges = append(p.Ipv6Ranges, types.Ipv6Range{CidrIpv6: aws.String(c)})
		} else {
			p.IpRanges = append(p.IpRanges, types.IpRange{CidrIp: aws.String(c)})
		}
	}
	return p
}

func TestIngress(t *testing.T) {
	all := types.IpPermission{IpProtocol: aws.String("-1"), IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}}
	peers := types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: aws.String("sg-1")}}}
	for name, c := range map[string]struct {
		have    []types.IpPermission
		want    []netip.Prefix
		missing string
		surplus string
	}{
		"as it should be": {[]types.IpPermission{rule("tcp", 22, 22, "1.2.3.4/32")}, prefixes("1.2.3.4/32"), "", ""},
		"nothing":         {nil, prefixes("1.2.3.4/32", "5.0.0.0/8"), "1.2.3.4/32, 5.0.0.0/8", ""},
		"moved":           {[]types.IpPermission{rule("tcp", 22, 22, "1.2.3.4/32")}, prefixes("5.6.7.8/32"), "5.6.7.8/32", "tcp 22 from 1.2.3.4/32"},
		"one too many":    {[]types.IpPermission{rule("tcp", 22, 22, "1.2.3.4/32", "9.9.9.9/32")}, prefixes("1.2.3.4/32"), "", "tcp 22 from 9.9.9.9/32"},
		"another port":    {[]types.IpPermission{rule("tcp", 22, 6443, "1.2.3.4/32")}, prefixes("1.2.3.4/32"), "1.2.3.4/32", "tcp 22-6443 from 1.2.3.4/32"},
		"everything":      {[]types.IpPermission{all}, prefixes("1.2.3.4/32"), "1.2.3.4/32", "-1 from 0.0.0.0/0"},
		"other groups":    {[]types.IpPermission{peers}, nil, "", "tcp 22 from other groups"},
		"version 6":       {[]types.IpPermission{rule("tcp", 22, 22, "2001:db8::/128")}, prefixes("2001:db8::1/128"), "2001:db8::1/128", "tcp 22 from 2001:db8::/128"},
	} {
		t.Run(name, func(t *testing.T) {
			missing, surplus := ingress(c.have, c.want)
			if got := join(missing); got != c.missing {
				t.Errorf("missing %q; want %q", got, c.missing)
			}
			if got := describePermissions(surplus); got != c.surplus {
				t.Errorf("surplus %q; want %q", got, c.surplus)
			}
		})
	}
}

func TestPrices(t *testing.T) {
	for _, c := range []struct {
		region, name string
		disk         int
		want         float64 // per hour, from AWS's price pages: instance + 0.005 + disk
	}{
		{"us-east-1", "t3.large", 30, 0.0832 + 0.005 + 30*0.08/730},
		{"us-east-1", "t3.xlarge", 30, 0.1664 + 0.005 + 30*0.08/730},
		{"eu-central-1", "m5.large", 100, 0.115 + 0.005 + 100*0.0952/730},
		{"ap-southeast-2", "t3a.large", 30, 0.095 + 0.005 + 30*0.096/730},
		{"ap-south-2", "t3.medium", 16, 0.0448 + 0.005 + 16*0.0912/730},
	} {
		p, ok := PriceOf(c.region, c.name, c.disk)
		// What nobody has looked up is shown as what it is.
		if guessed := c.region == "ap-south-2"; p.Estimate != guessed || strings.Contains(p.String(), "estimate") != guessed {
			t.Errorf("%s in %s is shown as %q", c.name, c.region, p)
		}
		if d := p.Hour() - c.want; !ok || d > 1e-9 || d < -1e-9 {
			t.Errorf("%s in %s: %g, %v; want %g", c.name, c.region, p.Hour(), ok, c.want)
		}
	}
	for _, unknown := range [][2]string{{"mars-north-1", "t3.large"}, {"us-east-1", "x1e.large"}, {"us-east-1", "t3.nano"}, {"us-east-1", "nonsense"}} {
		if p, ok := PriceOf(unknown[0], unknown[1], 30); ok {
			t.Errorf("%v costs %+v; nobody has said so", unknown, p)
		}
	}
	if _, err := time.Parse(time.DateOnly, PricesAsOf); err != nil {
		t.Error(err)
	}
	// A slip of a digit: within a family no region is twice as dear as another.
	for region, r := range regionPrices() {
		for family, price := range r.large {
			base := regionPrices()["us-east-1"].large[family]
			if price < base*0.6 || price > base*1.7 {
				t.Errorf("%s.large in %s is %g; in us-east-1 it is %g", family, region, price, base)
			}
		}
	}
}

func TestCost(t *testing.T) {
	launched := time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)
	running := HostState{Region: "us-east-1", Type: "t3.large", Disk: 73, InstanceID: "i-1", Launched: launched, Paid: 1}
	disk := 73 * 0.08 / 730
	near := func(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }
	if c := CostOf(running, launched.Add(2*time.Hour)); !near(c.PerHour, 0.0882+disk) || !near(c.Spent, 1+2*(0.0882+disk)) || !c.Known {
		t.Errorf("running: %+v", c)
	}
	stopped := running
	stopped.Stopped = launched.Add(2 * time.Hour)
	if c := CostOf(stopped, launched.Add(12*time.Hour)); !near(c.PerHour, disk) || !near(c.Spent, 1+10*disk) {
		t.Errorf("stopped: %+v", c)
	}
	if c := CostOf(HostState{Region: "us-east-1", Type: "x1e.large", InstanceID: "i-1"}, launched); c.Known || c.Spent != 0 {
		t.Errorf("unknown: %+v", c)
	}
}

func TestHostKeyIn(t *testing.T) {
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"
	for name, c := range map[string]struct{ console, want string }{
		"there":             {"boot\r\nLABCTL-HOSTKEY " + key + "\r\nlogin:", key},
		"twice, the same":   {"LABCTL-HOSTKEY " + key + "\nLABCTL-HOSTKEY " + key + "\n", key},
		"not yet":           {"boot\n", ""},
		"cut short":         {"LABCTL-HOSTKEY " + key[:60], ""},
		"torn by a message": {"LABCTL-HOSTKEY " + key[:40] + "[ 1.0] eth0\n" + key[40:] + "\n", ""},
		"of another kind":   {"LABCTL-HOSTKEY ssh-rsa AAAAB3NzaC1yc2E\n", ""},
		"within a line":     {"user says LABCTL-HOSTKEY " + key + "\n", ""},
		"with more behind":  {"LABCTL-HOSTKEY " + key + "AAAA\n", ""},
	} {
		if got, err := hostKeyIn(c.console); got != c.want || err != nil {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
	other := strings.Replace(key, "CCC", "DDD", 1)
	if _, err := hostKeyIn("LABCTL-HOSTKEY " + key + "\nLABCTL-HOSTKEY " + other + "\n"); clierr.ClassOf(err) != clierr.Refused {
		t.Errorf("two keys: %v; want it refused", err)
	}
}

func TestGroupNames(t *testing.T) {
	a, b := GroupName("day10", "bench", "jane"), GroupName("day10", "bench", "joe")
	if a == b || !strings.HasPrefix(a, "labctl-day10-bench-") {
		t.Errorf("%s and %s; want two names of one lab", a, b)
	}
	if n := len(GroupName(strings.Repeat("a", 50), strings.Repeat("b", 63), strings.Repeat("c", 500))); n > 255 {
		t.Errorf("%d characters; AWS takes 255", n)
	}
	if n := len("labctl-sg-0123456789abcdef0-9999"); n > 64 {
		t.Errorf("a token of %d characters; AWS takes 64", n)
	}
}

func TestOwner(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:iam::1:user/jane":                                    "arn:aws:iam::1:user/jane",
		"arn:aws:iam::1:user/4711":                                    "arn:aws:iam::1:user/4711",
		"arn:aws:sts::1:assumed-role/Sso/jane@example.org":            "arn:aws:sts::1:assumed-role/Sso/jane@example.org",
		"arn:aws:sts::1:assumed-role/Lab/botocore-session-1700000000": "arn:aws:sts::1:assumed-role/Lab",
		"arn:aws:sts::1:assumed-role/Lab/1700000000000000000":         "arn:aws:sts::1:assumed-role/Lab",
	} {
		if got := (Caller{ARN: arn}).Owner(); got != want {
			t.Errorf("%s: %s; want %s", arn, got, want)
		}
	}
}

func TestFingerprint(t *testing.T) {
	// ssh-keygen -lf of the key of zeros.
	if f := fingerprint(testKey); !strings.HasPrefix(f, "SHA256:") || len(f) != 50 {
		t.Errorf("fingerprint %q", f)
	}
	if f := fingerprint("nonsense"); f != "" {
		t.Errorf("fingerprint of nonsense: %q", f)
	}
}

func TestExplain(t *testing.T) {
	c := &Client{Region: "ap-south-2"}
	api := func(code, message string) error {
		return fmt.Errorf("operation error EC2: X: %w", &smithy.GenericAPIError{Code: code, Message: message})
	}
	for _, e := range []struct {
		action string
		err    error
		class  clierr.Class
		words  string
	}{
		{"RunInstances", api("UnauthorizedOperation", "no because of x. Encoded authorization failure message: c2VjcmV0"), clierr.Failed, "ec2:RunInstances"},
		{"DescribeVpcs", api("UnauthorizedOperation", ""), clierr.Refused, "ec2:DescribeVpcs"},
		{"RunInstances", api("VcpuLimitExceeded", "limit of 5"), clierr.Failed, "quota"},
		{"RunInstances", api("RequestExpired", ""), clierr.Refused, "expired"},
		{"DescribeVpcs", api("AuthFailure", "not able to validate"), clierr.Refused, "ap-south-2 enabled"},
		{"TerminateInstances", api("OperationNotPermitted", "disableApiTermination"), clierr.Leftover, "no-disable-api-termination"},
		{"DescribeVpcs", errors.New("dial tcp: lookup ec2.mars-north-1.amazonaws.com: no such host"), clierr.Inconclusive, "no such host"},
		{"DescribeVpcs", errors.New(`invalid proxy address "http://jane:c2VjcmV0@proxy:x": bad port`), clierr.Inconclusive, "redacted"},
		{"StopInstances", api("IncorrectInstanceState", "is not in a state"), clierr.Failed, "IncorrectInstanceState"},
	} {
		err := c.explain(e.action, e.err)
		text := err.Error() + " " + clierr.NextOf(err)
		if clierr.ClassOf(err) != e.class || !strings.Contains(text, e.words) || strings.Contains(text, "c2VjcmV0") {
			t.Errorf("%s, %v: %s: %s", e.action, e.err, clierr.ClassOf(err), text)
		}
	}
	if err := c.explain("RunInstances", context.Canceled); !errors.Is(err, context.Canceled) || clierr.ClassOf(err) != clierr.Failed {
		t.Errorf("cancelled: %v", err)
	}
	if c.explain("RunInstances", nil) != nil {
		t.Error("no error is explained")
	}
}

func TestPolicyIsJSON(t *testing.T) {
	if !json.Valid([]byte(Policy())) {
		t.Error("the policy is no JSON")
	}
}

// TestAliveChoosesOne: all who look at the same instances must keep the same one.
func TestAliveChoosesOne(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := instance{ID: "i-2", State: "running", Launched: at}
	b := instance{ID: "i-1", State: "pending", Launched: at}
	c := instance{ID: "i-0", State: "running", Launched: at.Add(time.Second)}
	dead := instance{ID: "i-9", State: "terminated", Launched: at.Add(-time.Hour)}
	for _, order := range [][]instance{{a, b, c, dead}, {dead, c, b, a}, {c, a, dead, b}} {
		living := hostInventory{instances: order}.alive()
		ids := []string{living[0].ID, living[1].ID, living[2].ID}
		if len(living) != 3 || !slices.Equal(ids, []string{"i-1", "i-2", "i-0"}) {
			t.Errorf("%v; want the earliest first, then by id", ids)
		}
	}
}
