//go:build e2e

package life_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestDay10 takes the lab of labs/day10.hcl the whole way, on a host on AWS.
func TestDay10(t *testing.T) {
	s := open(t)
	file, err := filepath.Abs("../../../labs/day10.hcl")
	if err != nil {
		t.Fatal(err)
	}
	const lab = "e2e-aws"
	up := []string{"up", file, "--name", lab, "--events", "ndjson"}

	r := s.does(0, "plan", file, "--name", lab)
	s.says(r.stdout, "host.ec2.bench", "t3.large for about $", "cluster.kind.my-cluster-"+lab, "scenario.crashloop")
	if calls := s.proxy.Mutating(); len(calls) > 0 {
		t.Errorf("plan has called %v", calls)
	}

	r = s.does(0, up...)
	s.says(r.stdout, "host.ec2.bench", "engine.docker.bench", "cluster.kind.my-cluster-"+lab, "scenario.imagepull", "scenario.crashloop", "scenario.multi-container", "Lab "+lab+" is up")
	s.says(r.stderr, "t3.large in "+region+" costs about $", `"type":"milestone"`)
	id := s.one()
	first := s.logins(id)
	if first != 1 {
		t.Errorf("the first up has logged in %d times; want once", first)
	}

	s.proxy.Heal()
	r = s.does(0, up...)
	if calls := s.proxy.Mutating(); len(calls) > 0 {
		t.Errorf("the second up has changed something: %v", calls)
	}
	if n := s.logins(id) - first; n != 1 {
		t.Errorf("the second up has logged in %d times; want once", n)
	}
	t.Logf("the second up took %s", r.took.Round(10*time.Millisecond))
	if r.took > 3*time.Second {
		t.Errorf("the second up took %s; want less than 3 s", r.took)
	}

	s.does(0, "verify")
	s.does(4, "check", "imagepull")
	s.does(0, "solve", "imagepull", "--run")
	s.does(0, "check", "imagepull")
	r = s.does(0, "kubectl", "--", "get", "nodes", "--no-headers")
	if lines := strings.Split(strings.TrimSpace(r.stdout), "\n"); len(lines) != 3 || strings.Contains(r.stdout, "NotReady") {
		t.Errorf("nodes:\n%s", r.stdout)
	}
	r = s.does(0, "shell", "--", "sh", "-c", "docker ps --format '{{.Names}}' && kubectl get deployments -o name")
	s.says(r.stdout, "my-cluster-"+lab+"-worker2", "deployment.apps/")
	s.keepsSecrets(lab, id)

	s.does(0, "stop")
	s.untilMachine(id, "stopped")
	status := read[labs](s, s.does(0, "status", "-o", "json").stdout)
	if l := status.Labs[0]; l.State != "stopped" || l.Host.Instance != id || l.Host.State != "stopped" || l.Host.Cost.PerHour <= 0 || l.Host.Cost.PerHour > 0.01 {
		t.Errorf("of a stopped lab, status says %+v", l)
	}
	r = s.does(5, "check", "imagepull")
	s.says(r.stdout, "is stopped", "labctl start")
	s.does(4, "verify")

	s.says(s.does(0, "start").stdout, "✓ cluster.kind.my-cluster-"+lab+"  3 nodes ready")
	if now := s.one(); now != id {
		t.Errorf("start has made another instance: %s, it was %s", now, id)
	}
	s.eventually("verify") // the learner's pods come back after the cluster
	s.does(0, "check", "imagepull", "--wait", "30s")
	status = read[labs](s, s.does(0, "status", "-o", "json").stdout)
	if l := status.Labs[0]; l.State != "up" || l.Host.State != "running" || l.Host.Type != "t3.large" || l.Host.Region != region || l.Host.Cost.PerHour < 0.08 ||
		l.Host.Cost.Spent <= 0 || l.Host.ExpiresIn < 3*3600 || l.Host.ExpiresIn > 4*3600 {
		t.Errorf("status says %+v", l)
	}

	r = s.does(0, "down", "-o", "json")
	receipt := read[struct{ Removed []string }](s, r.stdout)
	for _, what := range []string{"instance " + id, "security group sg-", "volume vol-", "files in "} {
		if !slices.ContainsFunc(receipt.Removed, func(got string) bool { return strings.HasPrefix(got, what) }) {
			t.Errorf("the receipt has no %q: %q", what, receipt.Removed)
		}
	}
	s.says(s.does(0, "down", lab, "--region", region).stdout, "Nothing of lab "+lab+" exists", "in "+region)
}

// labs is what status prints.
type labs struct {
	Labs []struct {
		Lab, State, Detail string
		Host               struct {
			Instance  string `json:"instance_id"`
			Type      string
			Region    string
			State     string
			ExpiresIn float64 `json:"expires_in_seconds"`
			Cost      struct {
				PerHour float64 `json:"per_hour_usd"`
				Spent   float64 `json:"spent_usd"`
			}
		}
	}
}

// eventually runs labctl until it succeeds, for a minute.
func (s *site) eventually(args ...string) {
	s.Helper()
	for began := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		r := s.labctl(args...)
		if r.code == 0 {
			s.Logf("labctl %s: 0, %s after it was asked first", strings.Join(args, " "), since(began))
			return
		}
		if time.Since(began) > time.Minute {
			s.Fatalf("labctl %s: exit code %d for a minute\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
		}
	}
}

// untilMachine waits until a machine really is in a state.
func (s *site) untilMachine(id, state string) {
	s.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		m, err := s.Machine(id)
		if err == nil && m.State == state {
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("%s is not %s after a minute: %+v, %v", id, state, m, err)
		}
	}
}
