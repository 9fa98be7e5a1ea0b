package lab

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/labfile"
)

// UpOptions are what Up may do, besides what the lab file says.
type UpOptions struct {
	Recreate   bool // replace a cluster or host that cannot be repaired, with what was done in it
	KeepFailed bool // keep a host that never became ready, to be looked at; it costs until its time is up
}

// Outcome is what an apply came to.
type Outcome struct {
	// Report is what was seen afterwards; nil when nothing was applied, or it was interrupted.
	Report *Report
	// Exists says what there is of the lab, after a failure or an interruption that may have left something; else nil.
	Exists *Existing
}

// Up converges the lab to its file and looks at it. What is there is left alone, what was begun is finished. When
// some of it failed, the rest is there and is looked at all the same.
func (l *Lab) Up(ctx context.Context, o UpOptions) (Outcome, error) {
	release, err := l.Lock(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer release()
	l.noteEngine(ctx)
	l.cluster.Recreate = o.Recreate
	if l.remote != nil {
		l.remote.recreate, l.remote.KeepFailed = o.Recreate, o.KeepFailed
	}
	return l.converge(ctx)
}

// converge applies the lab and looks at it.
func (l *Lab) converge(ctx context.Context) (Outcome, error) {
	began := l.m.now()
	l.state.Unfinished = true // on disk with what is made first
	out, err := l.convergeTwice(ctx)
	if out.Report != nil {
		out.Report.Seconds = l.m.now().Sub(began).Seconds()
	}
	return out, l.rememberEnd(out.Report, err)
}

// rememberEnd saves whether an `up` that has ended so came through, and returns err. One that was refused before its
// first act was not begun.
func (l *Lab) rememberEnd(report *Report, err error) error {
	class := clierr.ClassOf(err)
	switch {
	case err == nil && (report.Missing() == nil || clierr.ClassOf(report.Missing()) == clierr.Inconclusive):
		return nil // apply has saved that
	case report == nil && (class == clierr.Refused || class == clierr.Usage) && !l.costs():
		return err
	}
	l.state.Unfinished = true
	if _, lerr := l.files.Load(); lerr == nil { // else there is nothing that status would show
		err = cmp.Or(err, l.save())
	}
	return err
}

// costs tells that something of the lab is on AWS.
func (l *Lab) costs() bool { return l.remote != nil && l.remote.State.GroupID != "" }

// convergeTwice applies and looks, at most twice: on a busy machine something may be unready again by then, by a
// probe that was answered late. That is applied, which waits for it, and looked at once more.
func (l *Lab) convergeTwice(ctx context.Context) (out Outcome, err error) {
	const times = 2
	for range times {
		var began bool
		began, out.Exists, err = l.apply(ctx, nil)
		if err != nil && (!began || ctx.Err() != nil) {
			return Outcome{Exists: out.Exists}, err
		}
		var verr error
		if out.Report, verr = l.Verify(ctx, false); err != nil || verr != nil || out.Report.Missing() == nil {
			return out, cmp.Or(err, verr)
		}
	}
	return out, nil
}

// apply converges the lab, or the scenarios given, and what they stand on; see inTurn for the order. began tells whether
// anything may have been done. exists is what there is when it was cut short.
func (l *Lab) apply(ctx context.Context, only []*labfile.Scenario) (began bool, exists *Existing, err error) {
	whole := only == nil
	if whole {
		only = l.Declared.Scenarios
	}
	together, after := inTurn(only)
	if whole || len(together) > 0 {
		began, exists, err = l.applyTogether(ctx, append([]*labfile.Scenario{}, together...), whole && len(after) == 0)
	}
	for i, sc := range after {
		if ctx.Err() != nil || err != nil && l.cluster.Answers(ctx) != nil {
			break // what they stand on is not there
		}
		b, e, aerr := l.applyTogether(ctx, []*labfile.Scenario{sc}, whole && err == nil && i == len(after)-1)
		began, exists, err = began || b, cmp.Or(e, exists), joined(err, aerr)
	}
	return began, exists, err
}

func joined(a, b error) error {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	return errors.Join(a, b)
}

// applyTogether converges what scenarios stand on, and them side by side. whole: with that, all of the lab is there.
func (l *Lab) applyTogether(ctx context.Context, only []*labfile.Scenario, whole bool) (began bool, exists *Existing, err error) {
	graph, err := l.graph(only...)
	if err != nil {
		return false, nil, err
	}
	plan, err := graph.Plan(ctx)
	if err == nil {
		// Before the first act: should this be its last moment, everybody knows what the lab was to be.
		err = l.save()
	}
	if err == nil {
		acts := &actSink{Sink: l.m.Events}
		if began, err = true, plan.Apply(ctx, acts); acts.any.Load() {
			err = afterActs(err)
		}
	}
	if err != nil {
		err = offerLocal(err, l.Declared)
		// What is on a host is preflighted when the host is there, and costs. What is here and was not
		// interrupted is about to be looked at.
		class := clierr.ClassOf(err)
		refused := class == clierr.Refused || class == clierr.Usage
		if l.costs() || ctx.Err() != nil || !refused && (l.remote != nil || !began) {
			exists = l.exists(ctx)
		}
	}
	if !began {
		return false, exists, err
	}
	if err == nil && l.remote != nil && whole {
		l.giveKubeconfig(ctx)
	}
	if err == nil && whole {
		l.state.Unfinished = false
	}
	return true, exists, cmp.Or(err, l.save())
}

// actSink notes whether anything has been done.
type actSink struct {
	event.Sink
	any atomic.Bool
}

func (s *actSink) Emit(e event.Event) {
	if f, ok := e.(event.Finished); ok && f.Result == event.Done {
		s.any.Store(true)
	}
	s.Sink.Emit(e)
}

// afterActs makes failures of the refusals among errors: a refusal says that nothing was touched, and somebody may
// conclude that there is nothing to be taken down.
func afterActs(err error) error {
	refused := func(e error) bool { return clierr.ClassOf(e) == clierr.Refused }
	if err == nil || !slices.ContainsFunc(clierr.Leaves(err), refused) {
		return err
	}
	var all []error
	for _, e := range clierr.Leaves(err) {
		if refused(e) {
			e = &clierr.Error{Class: clierr.Failed, Err: e, Next: clierr.NextOf(e)}
		}
		all = append(all, e)
	}
	return errors.Join(all...)
}

// Existing is what there is of a lab, after a failure or an interruption: nothing is taken away then.
type Existing struct {
	Lab        string
	Containers []string    // "my-cluster-worker (running)", on this machine
	Host       *HostStatus // of a lab on a host of its own
	Group      string      // the security group that is remembered of such a lab
	Problem    string      // why it cannot be told
}

// existsTimeout bounds the question what there is, which somebody waits for after Ctrl-C.
const existsTimeout = 5 * time.Second

func (l *Lab) exists(ctx context.Context) *Existing {
	ctx = context.WithoutCancel(ctx)
	e := &Existing{Lab: l.Name()}
	if l.remote != nil {
		e.Host, e.Group = l.m.hostStatus(ctx, l.state), l.remote.State.GroupID
		e.Problem = e.Host.Problem
		return e
	}
	ctx, cancel := context.WithTimeout(ctx, existsTimeout)
	defer cancel()
	containers, err := l.engine.Containers(ctx, l.cluster.Ownership.Labels()...)
	if err != nil {
		e.Problem = err.Error()
	}
	for _, c := range containers {
		e.Containers = append(e.Containers, c.Name+" ("+c.State+")")
	}
	return e
}
