package provision

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/fault"
)

// Preflighter is a resource that can find, before anything is made, why its Apply would fail.
type Preflighter interface {
	// Preflight reads and changes nothing. Its error has class fault.Refused and says the cure. That of
	// a resource which cannot be seen yet (Observation.Dark) is called when its needs are reached.
	Preflight(context.Context) error
}

// Summarizer is a resource that can say in a few words what it is now: "3 nodes ready".
type Summarizer interface{ Summary() string }

// Apply converges every resource that is not as declared. First all are observed; then all that
// need work are preflighted, so that a refusal comes before the first act; then each is applied as
// soon as the milestones that it needs are reached. The first error stops the rest and is returned;
// what had been reached by then is kept, and the next Apply goes on from there.
func (g *Graph) Apply(ctx context.Context, sink event.Sink) error {
	observed := g.Observe(ctx)
	doubt(observed)
	for _, o := range observed {
		if o.Err != nil {
			return fmt.Errorf("%s: %w", o.Resource.Addr(), o.Err)
		}
	}
	if err := preflight(ctx, observed); err != nil {
		return err
	}
	run := newApplyRun(ctx, sink, observed)
	return run.wait()
}

// doubt takes back what was seen through a resource that is about to change: a scenario proven in a
// cluster that will be replaced, a node whose containerd knew the mirror, an API server that is
// stopped and so could not be asked. Whoever needs such a resource is applied after it, which
// changes nothing where nothing is to be changed. A refusal stands: it is not about to change.
func doubt(observed []Observed) {
	changing := map[string]bool{}
	for i := range observed {
		o := &observed[i]
		for _, need := range o.Resource.Needs() {
			if !changing[need.Resource.Addr()] {
				continue
			}
			if fault.ClassOf(o.Err) != fault.Refused {
				o.Err = nil
			}
			if o.Err == nil && (o.State == Current || o.State == "") {
				o.State = Partial
			}
		}
		changing[o.Resource.Addr()] = o.Err == nil && o.State != Current
	}
}

func preflight(ctx context.Context, observed []Observed) error {
	errs := make([]error, len(observed))
	var wg sync.WaitGroup
	for i, o := range observed {
		p, ok := o.Resource.(Preflighter)
		if !ok || o.State == Current || hidden(o) {
			continue
		}
		wg.Go(func() {
			if err := p.Preflight(ctx); err != nil {
				errs[i] = fmt.Errorf("%s: %w", o.Resource.Addr(), err)
			}
		})
	}
	wg.Wait()
	// All that is wrong is told in one run, like the problems of a lab file.
	return errors.Join(errs...)
}

// hidden tells that a resource was not looked at because of what it needs. Whatever needs nothing has been.
func hidden(o Observed) bool { return o.Dark && len(o.Resource.Needs()) > 0 }

// applyRun is one Apply under way.
type applyRun struct {
	outer  context.Context // the caller's
	ctx    context.Context // ends with the caller's or at the first failure
	cancel context.CancelCauseFunc
	sink   event.Sink
	tracks map[string]*track
	wg     sync.WaitGroup

	mu    sync.Mutex
	first error
}

// track is what the others may wait for of one resource.
type track struct {
	mu       sync.Mutex
	reached  map[string]chan struct{}
	finished bool
	failed   chan struct{} // closed when it never will reach anything more
}

// milestone returns the channel that closes when the milestone is reached.
func (t *track) milestone(name string) chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, ok := t.reached[name]
	if !ok {
		c = make(chan struct{})
		t.reached[name] = c
		if t.finished {
			close(c)
		}
	}
	return c
}

func (t *track) reach(name string) {
	c := t.milestone(name)
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-c:
	default:
		close(c)
	}
}

// finish reaches every milestone there is: a resource that is done has passed them all.
func (t *track) finish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.finished = true
	for _, c := range t.reached {
		select {
		case <-c:
		default:
			close(c)
		}
	}
}

func newApplyRun(ctx context.Context, sink event.Sink, observed []Observed) *applyRun {
	run := &applyRun{outer: ctx, sink: sink, tracks: map[string]*track{}}
	run.ctx, run.cancel = context.WithCancelCause(ctx)
	for _, o := range observed {
		run.tracks[o.Resource.Addr()] = &track{reached: map[string]chan struct{}{}, failed: make(chan struct{})}
	}
	for _, o := range observed {
		run.wg.Go(func() { run.one(o) })
	}
	return run
}

func (run *applyRun) wait() error {
	run.wg.Wait()
	run.cancel(nil)
	if run.first == nil {
		return context.Cause(run.outer)
	}
	return run.first
}

// one takes a single resource through waiting, applying and telling.
func (run *applyRun) one(o Observed) {
	addr := o.Resource.Addr()
	mine := run.tracks[addr]
	if o.Settled() {
		mine.finish()
		run.sink.Emit(event.Finished{Addr: addr, Verb: event.Apply, Result: event.Unchanged, Detail: o.Reason})
		return
	}
	if !run.await(o.Resource) {
		close(mine.failed)
		run.sink.Emit(event.Finished{Addr: addr, Verb: event.Apply, Result: event.Skipped})
		return
	}
	began := time.Now()
	run.sink.Emit(event.Started{Addr: addr, Verb: event.Apply})
	err := run.apply(o, run.milestones(addr, mine))
	done := event.Finished{Addr: addr, Verb: event.Apply, Result: event.Done, Elapsed: time.Since(began)}
	if err != nil {
		close(mine.failed)
		done.Result, done.Error = event.Failed, err.Error()
		run.sink.Emit(done)
		run.fail(fmt.Errorf("%s: %w", addr, err))
		return
	}
	if s, ok := o.Resource.(Summarizer); ok {
		done.Detail = s.Summary()
	}
	mine.finish()
	run.sink.Emit(done)
}

// apply preflights what could not be seen before, and applies.
func (run *applyRun) apply(o Observed, sink event.Sink) error {
	if p, ok := o.Resource.(Preflighter); ok && hidden(o) {
		if err := p.Preflight(run.ctx); err != nil {
			return err
		}
	}
	return o.Resource.Apply(run.ctx, sink)
}

// await returns true when all needs are reached, false when one never will be.
func (run *applyRun) await(r Resource) bool {
	for _, need := range r.Needs() {
		t := run.tracks[need.Resource.Addr()]
		name := need.Milestone
		if name == "" {
			name = "finished"
		}
		select {
		case <-t.milestone(name):
		case <-t.failed:
			return false
		case <-run.ctx.Done():
			return false
		}
	}
	return true
}

// milestones passes a resource's events on and notes the milestones among them.
func (run *applyRun) milestones(addr string, mine *track) event.Sink {
	return event.SinkFunc(func(e event.Event) {
		run.sink.Emit(e)
		if m, ok := e.(event.Milestone); ok && m.Addr == addr {
			mine.reach(m.Name)
		}
	})
}

// fail keeps the first error and stops the others.
func (run *applyRun) fail(err error) {
	run.mu.Lock()
	defer run.mu.Unlock()
	if run.first == nil {
		run.first = err
		run.cancel(err)
	}
}
