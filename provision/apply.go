package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-multierror"

	"github.com/labctl/labctl/internal/event"
)

// Summarizer is a resource that can say in a few words what it is now: "3 nodes ready".
type Summarizer interface{ Summary() string }

// Apply is Plan and Plan.Apply.
func (g *Graph) Apply(ctx context.Context, sink event.Sink) error {
	plan, err := g.Plan(ctx)
	if err != nil {
		return err
	}
	return plan.Apply(ctx, sink)
}

// Apply converges every resource that is not as declared, each as soon as the milestones that it needs are
// reached. A failure stops what needs the resource that failed, and nothing else: all else is finished, and
// all failures are returned together. What was reached is kept, and the next Apply goes on from there. The end
// of ctx stops everything, and its cause is the error.
func (p *Plan) Apply(ctx context.Context, sink event.Sink) error {
	run := &applyRun{ctx: ctx, sink: sink, tracks: map[string]*track{}}
	for _, o := range p.observed {
		run.tracks[o.Resource.Addr()] = newTrack()
	}
	errs := make([]error, len(p.observed)) // in the graph's order, whichever failed first
	for i, o := range p.observed {
		run.wg.Go(func() { errs[i] = run.one(o) })
	}
	run.wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return together(errs)
}

// together makes one error of several, some of which may be nil.
func together(errs []error) error {
	errs = slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil })
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	return &multierror.Error{Errors: errs}
}

// applyRun is one Apply under way.
type applyRun struct {
	ctx    context.Context // of one call of Apply, for as long as that lasts
	sink   event.Sink
	tracks map[string]*track
	wg     sync.WaitGroup
}

// track is what the others may wait for of one resource.
type track struct {
	mu      sync.Mutex
	reached map[string]chan struct{}
	ended   bool
	failed  chan struct{} // closed when it never will reach anything more
}

func newTrack() *track {
	return &track{reached: map[string]chan struct{}{}, failed: make(chan struct{})}
}

// milestone returns the channel that closes when the milestone is reached; "" is the end of Apply.
func (t *track) milestone(name string) chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.locked(name)
}

func (t *track) locked(name string) chan struct{} {
	c, ok := t.reached[name]
	if !ok {
		c = make(chan struct{})
		t.reached[name] = c
		if t.ended {
			close(c)
		}
	}
	return c
}

func (t *track) reach(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	closeOnce(t.locked(name))
}

// finish reaches every milestone there is: a resource that is done has passed them all.
func (t *track) finish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	for _, c := range t.reached {
		closeOnce(c)
	}
}

func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// one takes a single resource through waiting, applying and telling. It returns the resource's own failure:
// nil for one that was skipped, or stopped, because of another's.
func (run *applyRun) one(o Observed) error {
	addr := o.Resource.Addr()
	mine := run.tracks[addr]
	done := event.Finished{Addr: addr, Verb: event.Apply, Result: event.Unchanged, Detail: o.Reason}
	if o.Err == nil && o.Settled() {
		mine.finish()
		run.sink.Emit(done)
		return nil
	}
	defer close(mine.failed) // without an effect where it has finished
	done.Detail = ""
	if o.Behind != "" {
		done.Result, done.Detail = event.Skipped, skipped(o.Behind)
		run.sink.Emit(done)
		return nil
	}
	err := o.Err
	if err == nil {
		ctx, cancel := context.WithCancelCause(run.ctx)
		defer cancel(nil)
		err = run.apply(ctx, cancel, o, &done)
		if cause := (*needFailed)(nil); err != nil && errors.As(context.Cause(ctx), &cause) {
			done.Result, done.Detail = event.Skipped, skipped(cause.addr)
			run.sink.Emit(done)
			return nil
		}
	}
	if err != nil {
		done.Result, done.Error = event.Failed, err.Error()
		run.sink.Emit(done)
		return fmt.Errorf("%s: %w", addr, err)
	}
	done.Result = event.Done
	if s, ok := o.Resource.(Summarizer); ok {
		done.Detail = s.Summary()
	}
	mine.finish()
	run.sink.Emit(done)
	return nil
}

// apply waits for what the resource needs, preflights what could not be seen before, and applies. cancel is
// called with a *needFailed when something that it needs has failed, before or meanwhile.
func (run *applyRun) apply(ctx context.Context, cancel context.CancelCauseFunc, o Observed, done *event.Finished) error {
	for _, need := range o.Resource.Needs() {
		if err := run.await(ctx, cancel, need); err != nil {
			return err
		}
	}
	began := time.Now()
	defer func() { done.Elapsed = time.Since(began) }()
	run.sink.Emit(event.Started{Addr: done.Addr, Verb: event.Apply})
	if p, ok := o.Resource.(Preflighter); ok && hidden(o) {
		if err := p.Preflight(ctx); err != nil {
			return err
		}
	}
	return o.Resource.Apply(ctx, run.milestones(done.Addr, run.tracks[done.Addr]))
}

// needFailed is why a resource was not applied, or stopped.
type needFailed struct{ addr string }

func (e *needFailed) Error() string { return skipped(e.addr) }

func skipped(needed string) string { return "needs " + needed + ", which failed" }

// await returns when a need is met, or an error when it never will be. From then on a failure of the needed
// resource cancels whoever needs it, unless what was reached lasts by itself.
func (run *applyRun) await(ctx context.Context, cancel context.CancelCauseFunc, need Need) error {
	addr := need.Resource.Addr()
	t := run.tracks[addr]
	reached := t.milestone(need.Milestone)
	select {
	case <-reached:
	case <-t.failed:
		// It may have come as far as is needed, and failed after that.
		select {
		case <-reached:
		default:
			cancel(&needFailed{addr})
			return context.Cause(ctx)
		}
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if !need.Lasting {
		go func() {
			select {
			case <-t.failed:
				t.mu.Lock()
				defer t.mu.Unlock()
				if !t.ended {
					cancel(&needFailed{addr})
				}
			case <-ctx.Done():
			}
		}()
	}
	return nil
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
