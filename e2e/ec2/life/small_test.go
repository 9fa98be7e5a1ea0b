//go:build e2e

package life_test

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// TestSmall breaks a lab of one node in the ways in which a lab on AWS breaks: killed while its host boots,
// without AWS, at the end of its time, with another host at its address, without the laptop's files.
func TestSmall(t *testing.T) {
	s := open(t)
	file, err := filepath.Abs("testdata/small.hcl")
	if err != nil {
		t.Fatal(err)
	}
	up := []string{"up", file, "--events", "ndjson"}
	s.interrupted(up)
	id := s.one()
	s.staysWhereItIs(file)
	s.withoutAWS(id)
	s.inside(id)
	s.timeIsUp(id, up)
	s.otherHostKey(up)
	s.stateLost()
}

// interrupted ends `up` by Ctrl-C, by SIGKILL and by a host that boots again; the next goes on each time.
func (s *site) interrupted(up []string) {
	s.Helper()
	p := s.begin(up...)
	p.until("waiting for the host key")
	p.signal(syscall.SIGINT)
	if code := p.ended(); code != 130 {
		s.Errorf("interrupted, up exits with %d; want 130", code)
	}
	id := s.one()
	s.says(p.err.String(), "What exists of lab small: "+id+" t3.large in "+region, "/h, $", "`labctl down small`")

	p = s.begin(up...)
	p.until("logging in over SSH")
	p.signal(syscall.SIGKILL)
	p.ended()

	p = s.begin(up...)
	p.until("Preparing nodes")
	if err := s.Reboot(s.Context(), id); err != nil {
		s.Fatal(err)
	}
	s.Logf("up, while its host boots again: %d", p.ended())

	began := time.Now()
	s.does(0, up...)
	s.Logf("up after all that: %s", since(began))
	if now := s.one(); now != id {
		s.Errorf("the interrupted up have made %s and %s; want one instance", id, now)
	}
	s.does(0, "verify")
}

// staysWhereItIs: a lab on AWS is not put on this machine by a slip, nor taken over from another directory.
func (s *site) staysWhereItIs(file string) {
	s.Helper()
	s.proxy.Heal()
	s.says(s.does(3, "up", file, "--local").stderr, "is up on a host of its own", "labctl down small")
	s.says(s.with(3, []string{"LABCTL_HOME=" + filepath.Join(s.home, "other")}, "up", file).stderr, "whose SSH key is not here", "labctl down small")
	s.says(s.does(3, "down", "small", "--owner", "jane").stderr, "belongs to arn:aws:")
	if calls := s.proxy.Mutating(); len(calls) > 0 {
		s.Errorf("what was refused has called %v", calls)
	}
	r := s.does(0, "status")
	s.says(r.stdout, "t3.large in "+region+", running", "/h, $", "ends itself in 2")
	s.says(r.stderr, "Warning: Lab small ends itself in 2", "labctl extend")
}

// withoutAWS: what cannot be told is said, and nothing is forgotten.
func (s *site) withoutAWS(id string) {
	s.Helper()
	away := []string{"AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_MAX_ATTEMPTS=1"}
	r := s.with(5, away, "status", "-o", "json")
	if l := read[labs](s, r.stdout).Labs[0]; l.State != "unknown" || l.Host.Instance != id {
		s.Errorf("without AWS, status says %+v", l)
	}
	r = s.with(5, away, "status", "small")
	s.says(r.stdout, id, "unknown")
	if r.took > 15*time.Second {
		s.Errorf("status has taken %s to find out that AWS does not answer", r.took)
	}
	s.says(s.with(5, away, "down").stderr, "Nothing was forgotten")
	s.says(s.with(3, []string{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY="}, "down").stderr, "no AWS credentials are found")
	s.does(0, "verify")
}

// timeIsUp: the host ends itself, which labctl sees, and replaces it when it is asked to.
func (s *site) timeIsUp(id string, up []string) {
	s.Helper()
	s.on(id, "sh", "-c", "labctl-host extend $(($(date +%s) + 2))")
	s.ends(id)
	s.says(s.does(0, "status").stdout, "gone", id+" is not there any more", "labctl up")
	r := s.does(4, "verify")
	s.says(r.stdout, "host.ec2.tiny", "has ended", "needs host.ec2.tiny, which is absent")
	if r = s.does(5, "check", "imagepull"); r.took > 20*time.Second {
		s.Errorf("check has taken %s to find out that there is no host", r.took)
	}
	s.does(0, up...)
	if now := s.one(); now == id {
		s.Errorf("%s has ended, and is there", id)
	}
	s.does(0, "verify")
}

// ends waits until AWS shows an instance as terminated.
func (s *site) ends(id string) {
	s.Helper()
	for deadline := time.Now().Add(time.Minute); slices.ContainsFunc(s.instances(), func(i types.Instance) bool { return *i.InstanceId == id }); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("%s has not ended after a minute\n%s", id, s.Console(id))
		}
	}
}

// otherHostKey: a host that shows another key than the pinned one gets nothing, and nothing is changed.
func (s *site) otherHostKey(up []string) {
	s.Helper()
	id := s.one()
	s.on(id, "sh", "-c", "rm /etc/ssh/ssh_host_ed25519_key* && ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key && systemctl restart ssh")
	s.proxy.Heal()
	before := s.logins(id)
	s.says(s.does(3, up...).stderr, "host key changed", "Nothing was sent to it")
	s.says(s.does(5, "verify").stdout, "host key changed")
	s.says(s.does(5, "kubectl", "--", "get", "nodes").stderr, "host key changed")
	if calls := s.proxy.Mutating(); len(calls) > 0 || s.logins(id) != before {
		s.Errorf("a host with another key was logged in to %d times, and %v was called", s.logins(id)-before, calls)
	}
}

// stateLost: another machine, which knows nothing but the lab's name, removes the lab.
func (s *site) stateLost() {
	s.Helper()
	id := s.one()
	elsewhere := []string{"LABCTL_HOME=" + filepath.Join(s.home, "elsewhere")}
	s.says(s.with(0, elsewhere, "down", "small", "--region", "eu-west-1").stdout, "Nothing of lab small exists", "in eu-west-1")
	s.says(s.with(0, append(elsewhere, "LABCTL_OWNER=jane"), "down", "small", "--region", region).stderr, "is left alone", "--owner arn:aws:")
	s.one()
	r := s.with(0, elsewhere, "down", "small")
	s.says(r.stdout, "Lab small is gone", "instance "+id, "security group sg-", "volume vol-")
	// The machine that does remember it.
	s.says(s.does(0, "status").stdout, "gone")
	s.does(0, "down")
	if left, _ := filepath.Glob(filepath.Join(s.state(), "labs", "*")); len(left) > 0 {
		s.Errorf("left in labctl's directory: %s", strings.Join(left, ", "))
	}
}

// with is does in a changed environment.
func (s *site) with(code int, env []string, args ...string) outcome {
	s.Helper()
	cmd := s.command(s.Context(), args...)
	cmd.Env = append(cmd.Env, env...)
	r := s.finish(cmd)
	if r.code != code {
		s.Fatalf("%s labctl %s: exit code %d, want %d\n%s%s", strings.Join(env, " "), strings.Join(args, " "), r.code, code, r.stdout, r.stderr)
	}
	s.Logf("%s labctl %s: %d after %s", strings.Join(env, " "), strings.Join(args, " "), r.code, r.took.Round(10*time.Millisecond))
	return r
}
