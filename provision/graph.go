package provision

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/labctl/labctl/internal/clierr"
)

// Graph is a set of resources in an order in which each comes after what it needs. It is
// immutable; Plan and Observe are in this file, Apply and Destroy in their own.
type Graph struct {
	order []Resource
}

// NewGraph orders the resources. It fails when two share an address, when one needs a resource
// that is not among them, or when needs go round in a circle.
func NewGraph(resources ...Resource) (*Graph, error) {
	byAddr := map[string]Resource{}
	for _, r := range resources {
		if _, twice := byAddr[r.Addr()]; twice {
			return nil, fmt.Errorf("two resources have the address %s", r.Addr())
		}
		byAddr[r.Addr()] = r
	}
	g := &Graph{}
	done := map[string]bool{}
	var visit func(r Resource, path []string) error
	visit = func(r Resource, path []string) error {
		addr := r.Addr()
		if done[addr] {
			return nil
		}
		if slices.Contains(path, addr) {
			return fmt.Errorf("resources need one another in a circle: %s", strings.Join(append(path, addr), " -> "))
		}
		for _, need := range r.Needs() {
			needed, known := byAddr[need.Resource.Addr()]
			if !known {
				return fmt.Errorf("%s needs %s, which is not in the graph", addr, need.Resource.Addr())
			}
			if err := visit(needed, append(path, addr)); err != nil {
				return err
			}
		}
		done[addr] = true
		g.order = append(g.order, r)
		return nil
	}
	for _, r := range resources {
		if err := visit(r, nil); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// Observed is one resource and what was seen of it.
type Observed struct {
	Resource Resource
	Observation
	// Err says why the question could not be answered; the observation is then empty.
	Err error
	// Behind is the address of the resource whose error Err is, where this one was not asked because it
	// needs that one; empty else.
	Behind string
}

// Observe looks at every resource, side by side where needs allow, and changes nothing. A resource
// whose need is absent, dark, or could not be observed, is not asked: it is absent, dark, or unknown
// with it.
// The result has the graph's order.
func (g *Graph) Observe(ctx context.Context) []Observed {
	results := make([]Observed, len(g.order))
	seen := make(map[string]chan struct{}, len(g.order))
	index := make(map[string]int, len(g.order))
	for i, r := range g.order {
		seen[r.Addr()] = make(chan struct{})
		index[r.Addr()] = i
	}
	var wg sync.WaitGroup
	for i, r := range g.order {
		wg.Go(func() {
			defer close(seen[r.Addr()])
			results[i].Resource = r
			for _, need := range r.Needs() {
				addr := need.Resource.Addr()
				<-seen[addr]
				needed := results[index[addr]]
				if needed.Err != nil {
					results[i].Err, results[i].Behind = needed.Err, cmp.Or(needed.Behind, addr)
					return
				}
				if needed.State == Absent {
					results[i].Observation = Observation{State: Absent, Reason: "needs " + addr + ", which is absent", Action: "create", Unobservable: needed.Unobservable}
					return
				}
				if needed.Unobservable {
					results[i].Observation = Observation{State: Partial, Reason: "cannot be seen before " + addr + " is up", Action: "look at it then, and make what is missing", Unobservable: true}
					return
				}
			}
			results[i].Observation, results[i].Err = r.Observe(ctx)
		})
	}
	wg.Wait()
	return results
}

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
