package lab

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/scenarios"
)

// Proof is what taking one scenario through everything that can happen to it came to; its JSON form is that of
// `scenario test -o json`.
type Proof struct {
	Scenario string       `json:"scenario"`
	Type     labfile.Type `json:"type"`
	Proven   bool         `json:"proven"` // every step was as it should be
	// Level is what that makes of the scenario.
	Level labfile.Level `json:"level"`
	Steps []*ProofStep  `json:"steps"`
	// Warnings are what the proof leaves open: conditions and guards that were never seen not to hold.
	Warnings []string `json:"warnings,omitempty"`
	Seconds  float64  `json:"seconds"`
}

// ProofStep is one thing that was done to a scenario, with what was seen then.
type ProofStep struct {
	Name    string   `json:"name"`             // "wrong fix delete-the-pod", "solution, reset"
	Passed  bool     `json:"passed"`           // it was as it should be
	Saw     string   `json:"saw,omitempty"`    // what the last look came to
	Wrong   []string `json:"wrong,omitempty"`  // how that is not as it should be
	Output  string   `json:"output,omitempty"` // of a command that failed
	Seconds float64  `json:"seconds"`
}

const (
	// wrongFixTakes is how long a wrong fix has to take effect, beyond what a solution has to hold.
	wrongFixTakes = 7 * time.Second
	// disturbanceTakes bounds the wait for a demo not to show any more.
	disturbanceTakes = 30 * time.Second
	// proofCommandTakes bounds one command of a wrong fix or a solution.
	proofCommandTakes = 90 * time.Second
)

// Prove takes scenarios of this lab, or of anywhere, through everything that can happen to them, with the functions
// that the commands use:
//
//	definition: no condition that would hold on an empty object
//	untouched: no symptom, not solved (demo: does not show)
//	seeded: the symptom shows (task: it is open), and a second seeding changes nothing
//	each wrong fix (demo: each disturbance): not solved; then reset: as freshly seeded
//	the solution, and each right fix: solved, and proven so by verify; then reset
//	gone: as untouched
//
// What the lab has of the scenarios is lost; those that it declares are seeded again at the end, as it declares them.
// What is confined (see scenarios.Confined) is proven side by side, other tasks one after the other. The
// error is one that kept the proofs from being made.
func (l *Lab) Prove(ctx context.Context, all []*labfile.Scenario) ([]*Proof, error) {
	for i, sc := range all {
		if slices.ContainsFunc(all[:i], func(other *labfile.Scenario) bool { return other.Name == sc.Name }) {
			return nil, clierr.New(clierr.Usage, "scenario %s is given twice", sc.Name).WithNext("Prove one after the other.")
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	release, err := l.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	provers := make([]*prover, len(all))
	for i, sc := range all {
		if provers[i], err = l.newProver(ctx, sc, all); err != nil {
			return nil, err
		}
		defer provers[i].l.Close()
	}
	// The images that they name are in the mirror.
	if err := provers[0].l.applyInfrastructure(ctx); err != nil {
		return nil, err
	}
	env, err := provers[0].l.Env(ctx)
	if err != nil {
		return nil, err
	}
	defer env.Close()
	var side sync.WaitGroup
	for _, p := range provers {
		p.environ = env.Bare()
		if scenarios.Confined(p.sc) {
			side.Go(func() { p.run(ctx) })
		}
	}
	side.Wait()
	for _, p := range provers {
		if !scenarios.Confined(p.sc) {
			p.run(ctx)
		}
	}
	var proofs []*Proof
	var declared []*labfile.Scenario
	for _, p := range provers {
		proofs = append(proofs, p.proof)
		if own, err := l.Scenario(p.sc.Name); err == nil {
			declared = append(declared, own)
		}
	}
	if ctx.Err() != nil {
		return proofs, context.Cause(ctx)
	}
	if len(declared) > 0 {
		_, _, err = l.apply(ctx, declared)
	}
	return proofs, err
}

// applyInfrastructure converges all of the lab but its scenarios.
func (l *Lab) applyInfrastructure(ctx context.Context) error {
	graph, err := l.graph([]*labfile.Scenario{}...)
	if err != nil {
		return err
	}
	plan, err := graph.Plan(ctx)
	if err != nil {
		return err
	}
	return cmp.Or(plan.Apply(ctx, l.m.Events), l.save())
}

// next begins a step.
func (p *prover) next(name string) {
	p.done()
	p.step, p.began = &ProofStep{Name: name}, time.Now()
	p.proof.Steps = append(p.proof.Steps, p.step)
	p.l.m.Events.Emit(event.Progress{Addr: p.r.Addr(), Step: name})
}

func (p *prover) done() {
	if p.step != nil {
		p.step.Seconds, p.step.Passed = seconds(p.began), len(p.step.Wrong) == 0
	}
}

func (p *prover) wrong(format string, args ...any) {
	p.step.Wrong = append(p.step.Wrong, fmt.Sprintf(format, args...))
}

func (p *prover) must(err error) error {
	if err != nil {
		p.wrong("%v", err)
		return errStopped
	}
	return nil
}

// seconds are those since began, to the millisecond.
func seconds(began time.Time) float64 { return time.Since(began).Round(time.Millisecond).Seconds() }

// namedRemedy is a remedy and what its step of the proof is called.
type namedRemedy struct {
	*labfile.Remedy
	name string
}

// rightFixes are all that must solve the scenario.
func (p *prover) rightFixes() (all []namedRemedy) {
	if p.sc.Solution != nil {
		all = append(all, namedRemedy{p.sc.Solution, "solution"})
	}
	for _, fix := range p.sc.RightFixes {
		all = append(all, namedRemedy{fix, "right fix " + fix.Name})
	}
	return all
}

// wrongFix runs a wrong fix, which has to change something and to leave unsolved what it says.
func (p *prover) wrongFix(ctx context.Context, fix *labfile.Remedy) error {
	before, err := p.present(ctx)
	if err != nil {
		return err
	}
	if err := p.runCommands(ctx, fix); err != nil {
		return err
	}
	after, err := p.present(ctx)
	if err != nil {
		return err
	}
	if slices.Equal(before, after) && len(fix.Answers) == 0 {
		p.wrong("it changes nothing in the cluster, so that it is no fix at all")
	}
	// For as long as it needs to take effect, and then the hold.
	result := p.unsolved(ctx, p.sc.Solved.StableFor+wrongFixTakes)
	for _, f := range result.Findings {
		if slices.Contains(fix.Fails, f.Name) && f.Role != "symptom" && f.Verdict == scenarios.Holds {
			p.wrong("it leaves unsolved something else than it says: %s holds", f.Name)
		}
	}
	return nil
}

// present is what stands in the cluster, each in the form that it has.
func (p *prover) present(ctx context.Context) ([]string, error) {
	client, err := p.l.cluster.Client(ctx)
	if err != nil {
		return nil, p.must(err)
	}
	nodes, err := p.r.NodeLines(ctx)
	if err := p.must(err); err != nil || p.takenAway(ctx, client) {
		return nodes, err
	}
	lines, err := scenarios.Present(ctx, client, p.l.Name(), p.others...)
	return append(lines, nodes...), p.must(err)
}
