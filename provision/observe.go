package provision

import (
	"cmp"
	"context"
	"sync"
)

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
