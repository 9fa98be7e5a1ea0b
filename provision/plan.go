package provision

import (
	"context"
	"fmt"
	"sync"

	"github.com/labctl/labctl/internal/clierr"
)

// Preflighter is a resource that can find, before anything is made, why its Apply would fail.
type Preflighter interface {
	// Preflight reads and changes nothing. Its error has class clierr.Refused and says the cure. That of
	// a resource which cannot be seen yet (Observation.Unobservable) is called when its needs are reached.
	Preflight(context.Context) error
}

// Plan is what one Apply will do: what was seen of each resource, after the preflight.
type Plan struct{ observed []Observed }

// Plan observes every resource and preflights those that need work, and changes nothing. A refusal (class
// clierr.Refused or clierr.Usage) of a resource that others stand on is returned, with all else that is wrong:
// nothing may be begun then. So it is when there is nothing that could be begun. Whatever else cannot be observed
// or refuses is kept for Plan.Apply, where it stops itself and what needs it.
func (g *Graph) Plan(ctx context.Context) (*Plan, error) {
	observed := g.Observe(ctx)
	invalidateDependents(observed)
	preflight(ctx, observed)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	needed := map[string]bool{}
	for _, o := range observed {
		for _, need := range o.Resource.Needs() {
			needed[need.Resource.Addr()] = true
		}
	}
	stop, work := false, false
	var wrong []error // all of it in one run, like the problems of a lab file
	for _, o := range observed {
		class := clierr.ClassOf(o.Err)
		switch {
		case o.Err == nil:
			work = work || !o.Settled()
		case o.Behind == "":
			stop = stop || needed[o.Resource.Addr()] && (class == clierr.Refused || class == clierr.Usage)
			wrong = append(wrong, fmt.Errorf("%s: %w", o.Resource.Addr(), o.Err))
		}
	}
	if len(wrong) > 0 && (stop || !work) {
		return nil, together(wrong)
	}
	return &Plan{observed}, nil
}

// invalidateDependents takes back what was seen through a resource that is about to change: a scenario proven in a
// cluster that will be replaced, a node whose containerd knew the mirror, an API server that is
// stopped and so could not be asked. Whoever needs such a resource is applied after it, which
// changes nothing where nothing is to be changed. A refusal stands: it is not about to change.
func invalidateDependents(observed []Observed) {
	changing := map[string]bool{}
	for i := range observed {
		o := &observed[i]
		for _, need := range o.Resource.Needs() {
			if !changing[need.Resource.Addr()] {
				continue
			}
			if clierr.ClassOf(o.Err) != clierr.Refused {
				o.Err = nil
			}
			if o.Err == nil && (o.State == Current || o.State == "") {
				o.State, o.Behind = Partial, ""
			}
		}
		changing[o.Resource.Addr()] = o.Err == nil && o.State != Current
	}
}

// preflight keeps what a resource says against its Apply as if it could not be observed.
func preflight(ctx context.Context, observed []Observed) {
	var wg sync.WaitGroup
	for i := range observed {
		o := &observed[i]
		p, ok := o.Resource.(Preflighter)
		if !ok || o.Err != nil || o.Settled() || hidden(*o) {
			continue
		}
		wg.Go(func() { o.Err = p.Preflight(ctx) })
	}
	wg.Wait()
}

// hidden tells that a resource was not looked at because of what it needs. Whatever needs nothing has been.
func hidden(o Observed) bool { return o.Unobservable && len(o.Resource.Needs()) > 0 }
