package faultproxy

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// stub is an EC2 that knows one group, with or without something in it, and launches i-1, i-2, …
type stub struct {
	launched atomic.Int64
	deleted  atomic.Bool
	used     atomic.Bool
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	group := "<item><groupId>sg-1</groupId><groupName>g</groupName><vpcId>vpc-1</vpcId></item>"
	if s.deleted.Load() {
		group = ""
	}
	switch form.Get("Action") {
	case "RunInstances":
		fmt.Fprintf(w, "<R><instancesSet><item><instanceId>i-%d</instanceId></item></instancesSet></R>", s.launched.Add(1))
	case "CreateSecurityGroup":
		fmt.Fprint(w, "<R><groupId>sg-1</groupId></R>")
	case "DescribeSecurityGroups":
		fmt.Fprintf(w, "<R><securityGroupInfo>%s</securityGroupInfo></R>", group)
	case "DescribeNetworkInterfaces":
		if s.used.Load() {
			fmt.Fprint(w, "<R><networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId></item></networkInterfaceSet></R>")
			return
		}
		fmt.Fprint(w, "<R><networkInterfaceSet/></R>")
	case "DeleteSecurityGroup":
		s.deleted.Store(true)
		fmt.Fprint(w, "<R/>")
	default:
		fmt.Fprint(w, "<R/>")
	}
}

func start(t *testing.T, o Options) (*Proxy, *stub) {
	t.Helper()
	s := new(stub)
	up := httptest.NewServer(s)
	p := Start(up.URL, o)
	t.Cleanup(func() { p.Close(); up.Close() })
	return p, s
}

// ask makes a call and returns the status and the body; status 0 is a connection that was dropped.
func ask(t *testing.T, p *Proxy, action string, params ...string) (int, string) {
	t.Helper()
	form := url.Values{"Action": {action}}
	for i := 0; i < len(params); i += 2 {
		form.Set(params[i], params[i+1])
	}
	req, err := http.NewRequest(http.MethodPost, p.URL(), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=k/20260101/eu-west-1/ec2/aws4_request")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestTokens(t *testing.T) {
	p, s := start(t, Options{})
	_, first := ask(t, p, "RunInstances", "ClientToken", "a", "InstanceType", "x")
	if _, again := ask(t, p, "RunInstances", "ClientToken", "a", "InstanceType", "x"); again != first {
		t.Errorf("the same token gives %s, then %s", first, again)
	}
	if status, body := ask(t, p, "RunInstances", "ClientToken", "a", "InstanceType", "y"); status != 400 || !strings.Contains(body, "IdempotentParameterMismatch") {
		t.Errorf("the same token with another type: %d %s", status, body)
	}
	ask(t, p, "RunInstances", "ClientToken", "b")
	if n := s.launched.Load(); n != 2 {
		t.Errorf("%d launches; want two", n)
	}
}

func TestLagHidesAndShowsLate(t *testing.T) {
	var clock atomic.Int64 // seconds
	p, s := start(t, Options{Lag: time.Minute, Now: func() time.Time { return time.Unix(clock.Load(), 0) }})
	ask(t, p, "CreateSecurityGroup")
	shown := func() bool {
		_, body := ask(t, p, "DescribeSecurityGroups", "Filter.1.Name", "group-name", "Filter.1.Value.1", "g")
		return strings.Contains(body, "sg-1")
	}
	if shown() {
		t.Error("what was made is shown at once")
	}
	clock.Add(59)
	if status, body := ask(t, p, "DeleteSecurityGroup", "GroupId", "sg-1"); status != 400 || !strings.Contains(body, "InvalidGroup.NotFound") {
		t.Errorf("what is not shown can be deleted: %d %s", status, body)
	}
	clock.Add(61)
	if !shown() {
		t.Error("what was made is not shown later")
	}
	s.used.Store(true)
	if status, body := ask(t, p, "DeleteSecurityGroup", "GroupId", "sg-1"); status != 400 || !strings.Contains(body, "DependencyViolation") {
		t.Errorf("a group in use can be deleted: %d %s", status, body)
	}
	s.used.Store(false)
	if status, _ := ask(t, p, "DeleteSecurityGroup", "GroupId", "sg-1"); status != 200 || !s.deleted.Load() {
		t.Errorf("an empty group cannot be deleted: %d", status)
	}
	if !shown() {
		t.Error("what was deleted is not shown any more at once")
	}
	clock.Add(61)
	if shown() {
		t.Error("what was deleted is shown for good")
	}
}

func TestFaults(t *testing.T) {
	p, s := start(t, Options{})
	p.Inject(Fault{Kind: DropAfter, Action: "RunInstances", After: 1}, Fault{Kind: Denied, Action: "DescribeVpcs", Times: -1})
	if status, _ := ask(t, p, "RunInstances"); status != 200 {
		t.Errorf("the first call fails with %d", status)
	}
	if status, _ := ask(t, p, "RunInstances"); status != 0 || s.launched.Load() != 2 {
		t.Errorf("the second call is answered with %d after %d launches; want it dropped after it acted", status, s.launched.Load())
	}
	if status, _ := ask(t, p, "RunInstances"); status != 200 {
		t.Errorf("the third call fails with %d", status)
	}
	for range 2 {
		if status, body := ask(t, p, "DescribeVpcs"); status != 403 || !strings.Contains(body, SecretBlob) {
			t.Errorf("denied: %d %s", status, body)
		}
	}
	calls := p.Calls()
	if len(calls) != 5 || len(p.Mutating()) != 3 || calls[1].N != 2 || calls[3].Code != "UnauthorizedOperation" || calls[3].Mutating {
		t.Errorf("the calls were written down as %+v", calls)
	}
	p.Heal()
	if status, _ := ask(t, p, "DescribeVpcs"); status != 200 || len(p.Calls()) != 1 {
		t.Errorf("healed: %d, %d calls", status, len(p.Calls()))
	}
}
