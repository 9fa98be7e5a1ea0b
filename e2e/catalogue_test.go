//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/scenarios"
)

// lastOnCleanLab is the script of TestScriptsLab after which its scenarios are as seeded and nothing of the lab
// itself has been broken yet: the moment for the catalogue's proof, which ends with none seeded.
const lastOnCleanLab = "50-learner.txtar"

// proveCatalogue is the one proof of every scenario of the catalogue, on TestScriptsLab's cluster:
//
//	break: untouched: no symptom, not solved; seeded: symptom; each decoy: not solved;
//	       solution: solved; reset: as freshly seeded; destroyed: as untouched
//	task:  empty: not solved; begun: not solved; each decoy: not solved; solution: solved; reset and destroyed: as empty
//	demo:  untouched: does not hold; seeded: holds; each disturbance: does not hold; reset; destroyed
//
// lab is the lab that owns the scenarios, dir its directory.
func proveCatalogue(t *testing.T, lab, dir string) {
	c := openCluster(t, lab, dir)
	all, err := scenarios.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	all["first-web"] = definition(t, "../scenarios/testdata/first-web") // a task
	for name, d := range all {
		t.Run(name, func(t *testing.T) {
			p := &proof{cluster: c, t: t, r: scenarios.NewResource(c.lab, &labfile.Scenario{Definition: d}, c, nil)}
			p.run(d)
		})
	}
}

// definition reads a scenario that is not of the catalogue.
func definition(t *testing.T, folder string) *labfile.Definition {
	t.Helper()
	path := filepath.Join(folder, "scenario.hcl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d, diags := labfile.ParseDefinition(labfile.Source{Name: path, Bytes: text, Dir: os.DirFS(folder)})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return d
}

// cluster is the one under test; it counts the calls that change it.
type cluster struct {
	client   *kube.Client
	lab      string
	environ  []string
	mutating atomic.Int64
}

func openCluster(t *testing.T, lab, dir string) *cluster {
	path := filepath.Join(dir, "kubeconfig")
	kubeconfig, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{lab: lab}
	// The kubectl that labctl has chosen for the lab stands before the machine's.
	c.environ = append(os.Environ(), "KUBECONFIG="+path, "PATH="+filepath.Join(dir, "path")+":"+os.Getenv("PATH"))
	access, err := kube.ReadAccess(kubeconfig, "")
	if err != nil {
		t.Fatal(err)
	}
	c.client, err = access.Client(kube.Options{OnRequest: func(method, path string) {
		if method != http.MethodGet && method != http.MethodHead {
			c.mutating.Add(1)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := c.client.WaitAPI(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.client.WaitReady(ctx, 1); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *cluster) Client(context.Context) (*kube.Client, error) { return c.client, nil }

// proof takes one scenario through everything that can happen to it.
type proof struct {
	*cluster
	t *testing.T
	r *scenarios.Resource
}

func (p *proof) run(d *labfile.Definition) {
	p.must("destroying what an earlier run left", p.r.Destroy(p.t.Context(), p.sink()))
	untouched := p.snapshot()
	p.unsolved("untouched", 0)
	p.symptom("untouched", false)
	p.must("seeding", p.r.Apply(p.t.Context(), p.sink()))
	if d.Kind != labfile.Task {
		p.symptom("seeded", true)
	}
	if d.Kind != labfile.Demo {
		p.unsolved("seeded", 0)
	}
	seeded := p.snapshot()
	p.unchanging("seeded")

	for _, decoy := range d.Decoys {
		p.command(decoy)
		// As long as the wrong fix needs to take effect, and then the hold.
		p.unsolved("decoy "+decoy.Name, d.Solved.Hold+7*time.Second)
		p.unchanging("decoy " + decoy.Name)
		p.reset(d, seeded)
	}
	for _, disturbance := range d.Disturbances {
		p.command(disturbance)
		p.disturbed(disturbance.Name)
		p.unchanging("disturbance " + disturbance.Name)
		p.reset(d, seeded)
	}
	if d.Solution != nil {
		p.command(d.Solution)
		result := p.r.Check(p.t.Context(), p.sink(), scenarios.CheckOptions{Wait: time.Minute})
		if result.Verdict != scenarios.Holds || result.State != scenarios.Solved {
			p.t.Fatalf("after the solution: %s, %s: %s", result.Verdict, result.State, result.Reason)
		}
		if v := p.r.Verify(p.t.Context()); v.Verdict != scenarios.Holds {
			p.t.Errorf("verify after the solution: %s: %s", v.Verdict, v.Reason)
		}
		p.unchanging("solved")
		p.reset(d, seeded)
	}
	p.must("destroying", p.r.Destroy(p.t.Context(), p.sink()))
	p.same("destroyed, against untouched", untouched, p.snapshot())
	p.must("destroying again", p.r.Destroy(p.t.Context(), p.sink()))
}

// unsolved checks that a scenario is not solved, also when it is watched for some time.
func (p *proof) unsolved(when string, watched time.Duration) {
	p.t.Helper()
	result := p.r.Check(p.t.Context(), p.sink(), scenarios.CheckOptions{Wait: watched})
	if result.Verdict != scenarios.DoesNotHold {
		p.t.Errorf("check, %s: %s (%s): %s", when, result.Verdict, result.State, result.Reason)
	}
	p.t.Logf("check, %s: %s: %s", when, result.State, result.Reason)
}

// symptom checks whether the symptom shows.
func (p *proof) symptom(when string, want bool) {
	p.t.Helper()
	looked := 0
	for _, f := range p.r.Verify(p.t.Context()).Findings {
		if f.Role != "symptom" {
			continue
		}
		looked++
		if (f.Verdict == scenarios.Holds) != want {
			p.t.Errorf("symptom %s, %s: %s: %s", f.Name, when, f.Verdict, f.Reason)
		}
	}
	if want && looked == 0 {
		p.t.Errorf("%s: no symptom was looked at", when)
	}
}

// disturbed waits until a demo does not hold.
func (p *proof) disturbed(name string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer cancel()
	var last scenarios.Result
	err := p.r.Follow(ctx, func(result scenarios.Result) bool {
		last = result
		return result.Verdict == scenarios.DoesNotHold
	})
	if err != nil {
		p.t.Fatalf("disturbance %s: still %s after 30s: %s", name, last.Verdict, last.Reason)
	}
	p.t.Logf("disturbance %s: %s", name, last.Reason)
}

// unchanging checks that a second up changes nothing, whatever the learner did.
func (p *proof) unchanging(when string) {
	p.t.Helper()
	before := p.mutating.Load()
	if _, err := p.r.Observe(p.t.Context()); err != nil {
		p.t.Errorf("observing, %s: %v", when, err)
	}
	p.must("applying again, "+when, p.r.Apply(p.t.Context(), p.sink()))
	p.r.Verify(p.t.Context())
	if n := p.mutating.Load() - before; n != 0 {
		p.t.Errorf("%s: %d mutating calls of Observe, Apply and Verify", when, n)
	}
}

func (p *proof) reset(d *labfile.Definition, seeded []string) {
	p.t.Helper()
	graph, err := provision.NewGraph(p.r)
	p.must("ordering one scenario", err)
	p.must("resetting", graph.Reset(p.t.Context(), p.r.Addr(), p.sink()))
	p.same("reset, against seeded", seeded, p.snapshot())
	if d.Kind != labfile.Task {
		p.symptom("reset", true)
	}
}

func (p *proof) command(r *labfile.Remedy) {
	p.t.Helper()
	for _, line := range r.Run {
		ctx, cancel := context.WithTimeout(p.t.Context(), 90*time.Second)
		cmd := exec.CommandContext(ctx, "sh", "-c", line)
		cmd.Env = p.environ
		out, err := cmd.CombinedOutput()
		cancel()
		if err != nil {
			p.t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
}

func (p *proof) snapshot() []string {
	p.t.Helper()
	lines, err := scenarios.Snapshot(p.t.Context(), p.client, p.lab)
	p.must("taking a snapshot", err)
	return lines
}

// same compares two snapshots.
func (p *proof) same(when string, want, got []string) {
	p.t.Helper()
	if slices.Equal(want, got) {
		return
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			p.t.Errorf("%s: missing: %s", when, line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			p.t.Errorf("%s: left: %s", when, line)
		}
	}
}

func (p *proof) must(doing string, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("%s: %v", doing, err)
	}
}

func (p *proof) sink() event.Sink {
	return event.SinkFunc(func(e event.Event) {
		if progress, ok := e.(event.Progress); ok {
			p.t.Log(strings.TrimSpace(progress.Step))
		}
	})
}
