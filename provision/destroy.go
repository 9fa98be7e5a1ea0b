package provision

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/labctl/labctl/internal/event"
)

// Destroy destroys every resource, each after all that need it, side by side where needs allow. It
// goes on past failures, because what can be removed should be, and returns all of them.
func (g *Graph) Destroy(ctx context.Context, sink event.Sink) error {
	gone := make(map[string]chan struct{}, len(g.order))
	dependants := map[string][]string{}
	for _, r := range g.order {
		gone[r.Addr()] = make(chan struct{})
		for _, need := range r.Needs() {
			dependants[need.Resource.Addr()] = append(dependants[need.Resource.Addr()], r.Addr())
		}
	}
	var (
		wg   sync.WaitGroup
		errs = make([]error, len(g.order))
	)
	for i, r := range g.order {
		wg.Go(func() {
			addr := r.Addr()
			defer close(gone[addr])
			for _, d := range dependants[addr] {
				<-gone[d]
			}
			began := time.Now()
			sink.Emit(event.Started{Addr: addr, Verb: event.Destroy})
			done := event.Finished{Addr: addr, Verb: event.Destroy, Result: event.Done}
			err := r.Destroy(ctx, sink)
			done.Elapsed = time.Since(began)
			if err != nil {
				done.Result, done.Error = event.Failed, err.Error()
				errs[i] = fmt.Errorf("%s: %w", addr, err)
			}
			sink.Emit(done)
		})
	}
	wg.Wait()
	return together(errs)
}

// Reset destroys the resource of that address and applies the graph: whatever became of the resource, it is as
// just made again. All of the graph is applied, since what the resource needs may have changed meanwhile.
func (g *Graph) Reset(ctx context.Context, addr string, sink event.Sink) error {
	for _, r := range g.order {
		if r.Addr() != addr {
			continue
		}
		if err := r.Destroy(ctx, sink); err != nil {
			return fmt.Errorf("%s: %w", addr, err)
		}
		return g.Apply(ctx, sink)
	}
	return fmt.Errorf("there is no %s to reset", addr)
}
