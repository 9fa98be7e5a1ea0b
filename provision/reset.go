package provision

import (
	"context"
	"fmt"

	"github.com/labctl/labctl/internal/event"
)

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
