//go:build e2e

package account_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/labctl/labctl/e2e/ec2/faultproxy"
	"github.com/labctl/labctl/e2e/ec2/moto"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision/ec2"
)

// program is the built labctl, in a directory that is removed at the end of the run.
var program = sync.OnceValues(func() (path string, err error) {
	if programDir, err = os.MkdirTemp("", "labctl-account-"); err != nil {
		return "", err
	}
	path = filepath.Join(programDir, "labctl")
	out, err := exec.Command("go", "build", "-o", path, "../../../cmd/labctl").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building labctl: %w: %s", err, out)
	}
	return path, nil
})

var programDir string

// found is a row of gc's result.
type found struct {
	Where, Lab, Owner, State, Why string
	Mine, Remove                  bool
	What                          []string
}

// labctl runs the program against the account, as the account's owner, on a machine without Docker. It
// returns what it printed and its exit code.
func (a *account) labctl(args ...string) (out, errs string, code int) {
	a.Helper()
	path := got(program()).or(a.T)
	cmd := exec.Command(path, args...)
	cmd.Env = []string{
		"PATH=/nowhere", "HOME=" + a.Home, "LABCTL_HOME=" + a.Home, "LABCTL_OWNER=" + a.Owner, "AWS_ENDPOINT_URL=" + a.proxy.URL(),
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_REGION=" + a.Region, "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=2",
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	moto.DieWithParent(cmd)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		a.Fatal(err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// gc runs `labctl gc` with JSON for a result.
func (a *account) gc(want int, args ...string) (rows []found, removed []string) {
	a.Helper()
	out, errs, code := a.labctl(append([]string{"gc", "-o", "json", "--region", a.Region}, args...)...)
	if code != want {
		a.Fatalf("gc %v exits with %d; want %d: %s%s", args, code, want, out, errs)
	}
	var result struct {
		Found   []found
		Removed []string
	}
	if err := json.Unmarshal([]byte(out), &result); err != nil {
		a.Fatalf("gc's result: %v: %s", err, out)
	}
	slices.SortFunc(result.Found, func(x, y found) int { return strings.Compare(x.Lab, y.Lab) })
	return result.Found, result.Removed
}

// another is another lab of the account.
func (a *account) another(suffix, owner string) setup {
	s := a.setup
	s.Lab, s.Owner, s.Home = a.Lab+suffix, owner, a.T.TempDir()
	return s
}

// beside puts up another lab in the account.
func (a *account) beside(suffix, owner string, ttl time.Duration) setup {
	a.Helper()
	s := a.another(suffix, owner)
	s.TTL = ttl
	if err := s.do(a.Context(), "up", event.Discard); err != nil {
		a.Fatal(err)
	}
	return s
}

// over puts up a lab whose time is up a second after its launch, however long the launch has taken.
func (a *account) over(s setup) setup {
	a.Helper()
	s.TTL = time.Hour
	a.act(s, "up")
	out := got(a.direct.DescribeInstances(a.Context(), &sdk.DescribeInstancesInput{
		Filters: []types.Filter{{Name: aws.String("tag:" + ec2.TagLab), Values: []string{s.Lab}}},
	})).or(a.T)
	i := out.Reservations[0].Instances[0]
	expires := i.LaunchTime.Add(time.Second).Truncate(time.Second)
	got(a.direct.CreateTags(a.Context(), &sdk.CreateTagsInput{
		Resources: append(tagValues(i.Tags, ec2.TagGroup), aws.ToString(i.InstanceId)),
		Tags:      []types.Tag{{Key: aws.String(ec2.TagExpires), Value: aws.String(expires.UTC().Format(time.RFC3339))}},
	})).or(a.T)
	time.Sleep(time.Until(expires)) // the program that is asked has the clock of everybody
	return s
}

func (a *account) act(s setup, act string) {
	a.Helper()
	if err := s.do(a.Context(), act, event.Discard); err != nil {
		a.Fatalf("%s of lab %s: %v", act, s.Lab, err)
	}
}

// TestGC: gc removes the caller's own whose time is up, and nothing else.
func TestGC(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{ShuttingDown: 50 * time.Millisecond})
	alive := a.beside("-live", a.Owner, time.Hour)
	others := a.over(a.another("-others", "arn:aws:iam::123456789012:user/joe"))
	stopped := a.over(a.another("-stopped", a.Owner))
	a.act(stopped, "stop")
	// Started after its time: `labctl start` is about to give it a new one.
	woken := a.beside("-woken", a.Owner, -time.Minute)
	a.over(a.another("-expired", a.Owner))
	lonely := a.launchForeign(map[string]string{ec2.TagLab: a.Lab, ec2.TagExpires: "2020-01-01T00:00:00Z"})
	// A lab of the expired one's name on this machine's Docker is another lab.
	local := state.Home{Dir: a.Home}.Lab(a.Lab + "-expired")
	if err := local.Save(&state.State{Lab: a.Lab + "-expired", Owner: "jane", Local: true}); err != nil {
		t.Fatal(err)
	}
	a.heal()

	rows, removed := a.gc(6, "--dry-run")
	var says []string
	for _, r := range rows {
		says = append(says, fmt.Sprintf("%s mine=%v remove=%v %s", strings.TrimPrefix(r.Lab, a.Lab+"-"), r.Mine, r.Remove, r.State))
		if len(r.What) != 3 || r.Where != a.Region || r.Why == "" {
			t.Errorf("%+v; want instance, group and volume, in %s, with a reason", r, a.Region)
		}
	}
	want := []string{"expired mine=true remove=true running", "live mine=true remove=false running", "others mine=false remove=false running", "stopped mine=true remove=false stopped", "woken mine=true remove=false running"}
	if !slices.Equal(says, want) {
		t.Errorf("gc --dry-run says\n  %s\nwant\n  %s", strings.Join(says, "\n  "), strings.Join(want, "\n  "))
	}
	if m := a.proxy.Mutating(); len(m)+len(removed) > 0 {
		t.Errorf("--dry-run called %v and removed %v", m, removed)
	}

	_, removed = a.gc(0)
	if len(removed) != 3 || !strings.HasPrefix(removed[0], "instance i-") || !strings.Contains(strings.Join(removed, " "), "security group sg-") {
		t.Errorf("removed %q; want one instance, its volume and its group", removed)
	}
	if rows, _ := a.gc(6, "--dry-run"); len(rows) != 4 {
		t.Errorf("left %+v; want the live one, the other's, the stopped and the woken one", rows)
	}
	if _, err := local.Load(); err != nil {
		t.Errorf("the local lab of the same name: %v", err)
	}
	if out, _, code := a.labctl("gc", "--region", a.Region); code != 0 || !strings.Contains(out, "kept: it is somebody else's") || !strings.Contains(out, "kept: it has until ") || strings.Contains(out, "Removed") {
		t.Errorf("a second gc exits with %d: %s", code, out)
	}

	if _, removed := a.gc(0, "--stopped"); len(removed) != 3 {
		t.Errorf("--stopped removed %q", removed)
	}
	a.act(alive, "down")
	a.act(others, "down")
	a.act(woken, "down")
	a.terminate(lonely)
	if rows, _ := a.gc(0, "--dry-run"); len(rows) > 0 {
		t.Errorf("left: %+v", rows)
	}
}

// TestGCForgets: with a host go the files that are about it.
func TestGCForgets(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	s := a.over(a.another("-gone", a.Owner))
	host := got(os.ReadFile(filepath.Join(s.Home, "labs", s.Lab, hostFile))).or(t)
	files := state.Home{Dir: a.Home}.Lab(s.Lab)
	if err := files.Save(&state.State{Lab: s.Lab, Owner: s.Owner, Host: host}); err != nil {
		t.Fatal(err)
	}
	a.gc(0)
	if left, err := filepath.Glob(filepath.Join(a.Home, "labs", "*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestGCAfterTheEnd: a host that has ended by its timer leaves its group, which gc takes.
func TestGCAfterTheEnd(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	s := a.beside("-over", a.Owner, -time.Minute)
	out := got(a.direct.DescribeInstances(t.Context(), &sdk.DescribeInstancesInput{
		Filters: []types.Filter{{Name: aws.String("tag:" + ec2.TagLab), Values: []string{s.Lab}}},
	})).or(t)
	a.terminate(aws.ToString(out.Reservations[0].Instances[0].InstanceId))
	rows, removed := a.gc(0)
	if len(rows) != 1 || rows[0].State != "no instance" || len(removed) != 1 || !strings.HasPrefix(removed[0], "security group sg-") {
		t.Errorf("found %+v, removed %q; want the group alone", rows, removed)
	}
}

// TestGCWhereItCannotLook: what cannot be looked at is no reason to believe that nothing is there.
func TestGCWhereItCannotLook(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	s := a.beside("-there", a.Owner, -time.Minute)
	for action, args := range map[string][]string{
		"DescribeVolumes": {"--region", a.Region}, "DescribeInstances": {"--region", a.Region, "--dry-run"}, "DescribeRegions": {"--all-regions"},
	} {
		a.proxy.Inject(faultproxy.Fault{Kind: faultproxy.Denied, Action: action, Times: -1})
		out, errs, code := a.labctl(append([]string{"gc"}, args...)...)
		if code != 3 || !strings.Contains(errs, "ec2:"+action) || strings.Contains(out, "Nothing of labctl's is left") {
			t.Errorf("without %s: exit code %d: %s%s", action, code, out, errs)
		}
		a.heal()
	}
	a.act(s, "down")
}

// between replaces what gc has found while it is about to remove it: at the n-th question who is calling, which
// each removal begins with.
func (a *account) between(n int, act func()) {
	var asked atomic.Int32
	a.proxy.Set(func(o *faultproxy.Options) {
		o.Before = func(action string) {
			if action == "GetCallerIdentity" && int(asked.Add(1)) == n {
				act()
			}
		}
	})
}

// TestGCLooksAgain: what has changed since gc found it is left alone, and no failure.
func TestGCLooksAgain(t *testing.T) {
	for name, change := range map[string]func(a *account, s setup){
		"launched anew": func(a *account, s setup) {
			a.act(s, "down")
			s.TTL = time.Hour
			a.act(s, "up")
		},
		"extended": func(a *account, s setup) { a.act(s, "extend") },
		"stopped":  func(a *account, s setup) { a.act(s, "stop") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := open(t, faultproxy.Options{})
			s := a.over(a.another("-gone", a.Owner))
			past := s // past the proxy that waits for it
			side := faultproxy.Start(server.URL, faultproxy.Options{Reachable: true, Console: func(string) string { return "LABCTL-HOSTKEY " + hostKey + "\r\n" }})
			defer side.Close()
			past.Endpoint = side.URL()
			a.between(2, func() { change(a, past) })
			rows, removed := a.gc(0)
			if len(removed) > 0 || len(rows) != 1 || rows[0].Remove || !strings.Contains(rows[0].Why, "changed since it was found") {
				t.Errorf("gc removed %q and says %+v; want nothing removed, since it has changed", removed, rows)
			}
			if out := got(a.direct.DescribeInstances(t.Context(), &sdk.DescribeInstancesInput{Filters: []types.Filter{
				{Name: aws.String("tag:" + ec2.TagLab), Values: []string{s.Lab}},
				{Name: aws.String("instance-state-name"), Values: []string{"running", "stopped"}},
			}})).or(t); len(out.Reservations) != 1 {
				t.Errorf("%d instances are left; want the one that was not gc's to take", len(out.Reservations))
			}
			a.proxy.Set(func(o *faultproxy.Options) { o.Before = nil })
			a.act(s, "down")
		})
	}
}

// TestOneRegionDenied: what one region hides is no reason to leave the others as they are, nor to say that
// nothing is left.
func TestOneRegionDenied(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	closed := "ca-central-1" // no other test's
	deny := func() {
		a.heal()
		a.proxy.Inject(faultproxy.Fault{Kind: faultproxy.Denied, Action: "DescribeInstances", Region: closed, Times: -1})
	}
	a.over(a.another("-expired", a.Owner))
	deny()
	out, errs, code := a.labctl("gc", "--region", a.Region, "--region", closed)
	if code != 5 || !strings.Contains(out, "Removed and seen to be gone: instance i-") || !strings.Contains(errs, "Not looked at: "+closed) || !strings.Contains(errs, "ec2:DescribeInstances") {
		t.Errorf("gc exits with %d: %s%s", code, out, errs)
	}
	if out, _, code := a.labctl("gc", "--dry-run", "--region", a.Region, "--region", closed); code != 5 || strings.Contains(out, "Nothing of labctl's is left") {
		t.Errorf("a second gc exits with %d: %s", code, out)
	}
	there := a.beside("-there", a.Owner, time.Hour)
	deny()
	if _, errs, code := a.labctl("gc", "--dry-run", "--region", a.Region, "--region", closed); code != 6 || !strings.Contains(errs, "Not looked at: "+closed) {
		t.Errorf("gc --dry-run exits with %d: %s", code, errs)
	}
	out, errs, code = a.labctl("down", there.Lab)
	if code != 5 || strings.Contains(out, "is gone after") || !strings.Contains(errs, "Removed and seen to be gone: instance i-") || !strings.Contains(errs, closed+" could not be looked at") {
		t.Errorf("down exits with %d: %s%s", code, out, errs)
	}
	out, errs, code = a.labctl("down", there.Lab)
	if code != 5 || strings.Contains(out, "Nothing of lab") || !strings.Contains(errs, closed+" could not be looked at") {
		t.Errorf("a second down exits with %d: %s%s", code, out, errs)
	}
}

// TestRetriesAreSaid: who waits for an AWS that does not answer is told so, through events where they are asked for.
func TestRetriesAreSaid(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	for _, args := range [][]string{nil, {"--events", "ndjson"}} {
		a.proxy.Inject(faultproxy.Fault{Kind: faultproxy.ErrorBefore, Action: "DescribeVolumes"})
		_, errs, code := a.labctl(append([]string{"gc", "--region", a.Region}, args...)...)
		said := "AWS does not answer in " + a.Region + " (InternalError), trying again (2 of 6)"
		if code != 0 || strings.Count(errs, said) != 1 || (args != nil) != strings.Contains(errs, `"type":"notice"`) {
			t.Errorf("gc %v exits with %d: %s", args, code, errs)
		}
	}
}

// TestGCEverywhere: without --region it looks in every region, and the caller is the owner.
func TestGCEverywhere(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	client := got(a.client(t.Context())).or(t)
	a.Owner = got(client.Caller(t.Context())).or(t).Owner()
	s := a.beside("-mine", a.Owner, time.Hour)
	a.Owner = ""
	out, errs, code := a.labctl("gc", "--dry-run", "--all-regions", "-o", "json")
	var result struct {
		Regions []string
		Found   []found
	}
	if err := json.Unmarshal([]byte(out), &result); err != nil || code != 6 {
		t.Fatalf("exit code %d, %v: %s%s", code, err, out, errs)
	}
	i := slices.IndexFunc(result.Found, func(f found) bool { return f.Lab == s.Lab })
	if len(result.Regions) < 10 || i < 0 || !result.Found[i].Mine || result.Found[i].Where != a.Region {
		t.Errorf("in %d regions found %+v; want %s's own in %s", len(result.Regions), result.Found, s.Lab, a.Region)
	}
	a.act(s, "down")
}
