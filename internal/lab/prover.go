package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/scenarios"
)

// prover proves one scenario. Its lab is one of its own, so that several can be at work.
type prover struct {
	l       *Lab
	sc      *labfile.Scenario
	r       *scenarios.Resource
	environ []string
	others  []string     // the scenarios that are proven at the same time
	changes atomic.Int64 // through the API, by labctl
	proof   *Proof
	step    *ProofStep
	began   time.Time
	failed  failures
}

func (l *Lab) newProver(ctx context.Context, sc *labfile.Scenario, all []*labfile.Scenario) (*prover, error) {
	images := append(imagesOf(l.Declared.Scenarios), imagesOf(all)...)
	slices.Sort(images)
	own, err := l.m.assemble(ctx, l.Declared, slices.Compact(images), l.files, l.state)
	if err != nil {
		return nil, err
	}
	own.cluster.Lock = l.cluster.Lock
	p := &prover{l: own, sc: sc, failed: failures{}, proof: &Proof{Scenario: sc.Name, Type: sc.Type, Steps: []*ProofStep{}}}
	for _, other := range all {
		if other.Name != sc.Name && scenarios.Confined(other) && scenarios.Confined(sc) {
			p.others = append(p.others, other.Name)
		}
	}
	p.r = scenarios.NewResource(own.Name(), sc, own.cluster, nil) // what it needs is there
	p.r.Probe = true
	before := own.cluster.OnRequest
	own.cluster.OnRequest = func(r *http.Request) {
		if kube.Changes(r) {
			p.changes.Add(1)
		}
		if before != nil {
			before(r)
		}
	}
	return p, nil
}

// errStopped ends a proof whose next steps would prove nothing.
var errStopped = errors.New("the proof cannot go on")

func (p *prover) run(ctx context.Context) {
	began := time.Now()
	addr := p.r.Addr()
	p.l.m.Events.Emit(event.Started{Addr: addr, Verb: event.Apply})
	err := p.prove(ctx)
	p.done()
	p.proof.Seconds = seconds(began)
	p.proof.Proven = err == nil && !slices.ContainsFunc(p.proof.Steps, func(s *ProofStep) bool { return !s.Passed })
	p.proof.Level = p.level()
	if ctx.Err() == nil {
		if err := p.rememberLevel(); err != nil {
			p.l.m.Events.Emit(event.Notice{Text: err.Error()})
		}
	}
	end := event.Finished{Addr: addr, Verb: event.Apply, Result: event.Done, Detail: "proven", Elapsed: time.Since(began)}
	switch {
	case ctx.Err() != nil:
		end.Result, end.Detail, end.Error = event.Failed, "", "interrupted"
	case !p.proof.Proven:
		end.Result, end.Detail, end.Error = event.Failed, "", "not proven"
	}
	p.l.m.Events.Emit(end)
}

// waits passes on what a scenario says of what it waits for.
func (p *prover) waits() event.Sink {
	return event.SinkFunc(func(e event.Event) {
		if _, ok := e.(event.Progress); ok {
			p.l.m.Events.Emit(e)
		}
	})
}

func (p *prover) prove(ctx context.Context) error {
	p.next("definition")
	hollow, err := p.r.Hollow()
	if err := p.must(err); err != nil {
		return err
	}
	p.step.Wrong = append(p.step.Wrong, hollow...)
	p.next("untouched")
	if err := p.must(p.r.Destroy(ctx, event.Discard)); err != nil { // what an earlier run has left
		return err
	}
	untouched, err := p.snapshot(ctx)
	if err != nil {
		return err
	}
	p.unsolved(ctx, 0)
	p.symptom(ctx, false)

	p.next("seeded")
	if err := p.must(p.r.Apply(ctx, p.waits())); err != nil {
		return err
	}
	if p.sc.Type != labfile.Task {
		p.symptom(ctx, true)
	}
	if p.sc.Type != labfile.Demo {
		p.unsolved(ctx, 0)
	}
	p.step.Saw = p.r.Verify(ctx).Reason
	seeded, err := p.snapshot(ctx)
	if err != nil {
		return err
	}
	p.unchanging(ctx)
	for _, fix := range p.sc.WrongFixes {
		p.next("wrong fix " + fix.Name)
		if err := p.wrongFix(ctx, fix); err != nil {
			return err
		}
		if err := p.endStep(ctx, seeded); err != nil {
			return err
		}
	}
	for _, disturbance := range p.sc.Disturbances {
		p.next("disturbance " + disturbance.Name)
		if err := p.runCommands(ctx, disturbance); err != nil {
			return err
		}
		p.disturbed(ctx)
		if err := p.endStep(ctx, seeded); err != nil {
			return err
		}
	}
	for _, fix := range p.rightFixes() {
		p.next(fix.name)
		if err := p.runCommands(ctx, fix.Remedy); err != nil {
			return err
		}
		p.solved(ctx)
		if err := p.endStep(ctx, seeded); err != nil {
			return err
		}
	}
	p.proof.Warnings = p.failed.unfailed(p.sc.Solved)
	p.next("gone")
	if err := p.must(p.r.Destroy(ctx, event.Discard)); err != nil {
		return err
	}
	now, err := p.snapshot(ctx)
	if err != nil {
		return err
	}
	p.same("untouched", untouched, now)
	if p.step.Saw = "nothing of it is left"; len(p.step.Wrong) > 0 {
		p.step.Saw = ""
	}
	return p.must(p.r.Destroy(ctx, event.Discard))
}

// endStep checks that a second `up` changes nothing, whatever the learner did, and resets.
func (p *prover) endStep(ctx context.Context, seeded []string) error {
	p.unchanging(ctx)
	p.next(p.step.Name + ", reset")
	graph, err := provision.NewGraph(p.r)
	if err == nil {
		err = graph.Reset(ctx, p.r.Addr(), p.waits())
	}
	if err := p.must(err); err != nil {
		return err
	}
	now, err := p.snapshot(ctx)
	if err != nil {
		return err
	}
	p.same("freshly seeded", seeded, now) // that the symptom shows the reset has seen
	if len(p.step.Wrong) == 0 {
		p.step.Saw = "as freshly seeded"
	}
	return nil
}

// unsolved checks that the scenario is not solved, also when it is watched for some time.
func (p *prover) unsolved(ctx context.Context, watched time.Duration) scenarios.Result {
	result := p.r.Check(ctx, event.Discard, scenarios.CheckOptions{Wait: watched, Settle: true})
	p.failed.note(result, watched > 0)
	p.step.Saw = result.Reason
	for _, f := range result.Points() {
		if f.Verdict == scenarios.DoesNotHold && !strings.Contains(p.step.Saw, f.Words()) {
			p.step.Saw += "; missing: " + f.Words()
		}
	}
	switch {
	case result.Verdict == scenarios.DoesNotHold:
	case result.Verdict == scenarios.Holds && watched > 0:
		p.wrong("it repairs the scenario: it is no wrong fix, or a guard is missing that says why it is none")
	default:
		p.wrong("check must say no, and says %s: %s", result.Verdict, result.Reason)
	}
	return result
}

func (p *prover) solved(ctx context.Context) {
	result := p.r.Check(ctx, event.Discard, scenarios.CheckOptions{Wait: time.Minute})
	p.step.Saw = result.Reason
	if result.Verdict != scenarios.Holds || result.State != scenarios.Solved {
		p.wrong("check must say solved, and says %s, %s: %s", result.Verdict, result.State, result.Reason)
	}
	if verified := p.r.Verify(ctx); verified.Verdict != scenarios.Holds {
		p.wrong("verify says %s: %s", verified.Verdict, verified.Reason)
	}
}

// symptom checks whether the symptom shows.
func (p *prover) symptom(ctx context.Context, want bool) {
	for _, f := range p.r.Verify(ctx).Findings {
		if f.Role == "symptom" && (f.Verdict == scenarios.Holds) != want {
			p.wrong("symptom %s: %s: %s", f.Name, f.Verdict, f.Reason)
		}
	}
}

// disturbed waits until a demo does not hold.
func (p *prover) disturbed(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, disturbanceTakes)
	defer cancel()
	var last scenarios.Result
	err := p.r.Follow(ctx, func(result scenarios.Result) bool {
		last = result
		return result.Verdict == scenarios.DoesNotHold
	})
	if p.step.Saw = last.Reason; err != nil {
		p.wrong("still %s after %s: %s", last.Verdict, disturbanceTakes, last.Reason)
	}
}

// unchanging checks that to observe, seed and verify changes nothing of what is there. Nothing is probed for that: probes
// make pods, and were run by the check before.
func (p *prover) unchanging(ctx context.Context) {
	p.r.Probe = false
	defer func() { p.r.Probe = true }()
	before := p.changes.Load()
	if _, err := p.r.Observe(ctx); err != nil {
		p.wrong("observing: %v", err)
	}
	if err := p.r.Apply(ctx, event.Discard); err != nil {
		p.wrong("a second seeding: %v", err)
	}
	p.r.Verify(ctx)
	if n := p.changes.Load() - before; n != 0 {
		p.wrong("a second seeding makes %d changes", n)
	}
}

// runCommands runs commands as a learner types them.
func (p *prover) runCommands(ctx context.Context, fix *labfile.Remedy) error {
	for _, line := range fix.Run {
		ctx, cancel := context.WithTimeoutCause(ctx, proofCommandTakes, fmt.Errorf("not within %s", proofCommandTakes))
		var out bytes.Buffer
		err := command.Local{Env: p.environ}.Run(ctx, command.Command{Argv: []string{"/bin/sh", "-c", line}, Stdout: &out, Stderr: &out})
		cancel()
		if err != nil {
			p.step.Output = out.String()
			p.wrong("%s: %v", line, err)
			return errStopped
		}
	}
	for name, words := range fix.Answers {
		if err := p.must(p.r.Answer(ctx, name, words)); err != nil {
			return err
		}
	}
	return nil
}

func (p *prover) snapshot(ctx context.Context) ([]string, error) {
	client, err := p.l.cluster.Client(ctx)
	if err != nil {
		return nil, p.must(err)
	}
	nodes, err := p.r.NodeLines(ctx)
	if err := p.must(err); err != nil || p.takenAway(ctx, client) {
		return nodes, err
	}
	if err := p.must(scenarios.AwaitProbes(ctx, client, p.l.Name())); err != nil {
		return nil, err
	}
	lines, err := scenarios.Snapshot(ctx, client, p.l.Name(), p.others...)
	return append(lines, nodes...), p.must(err)
}

// takenAway reports whether the API server does not answer because of the scenario: there are only the nodes to be compared then.
func (p *prover) takenAway(ctx context.Context, client *kube.Client) bool {
	return p.sc.TakesAPI() && client.Ready(ctx) != nil
}

// same compares what is in the cluster with what has to be.
func (p *prover) same(as string, want, got []string) {
	for _, difference := range scenarios.Differences(want, got) {
		p.wrong("not as %s: %s", as, difference)
	}
}
