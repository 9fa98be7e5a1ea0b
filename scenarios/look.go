package scenarios

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/labctl/labctl/internal/kube"
)

// observe reads once, all queries at a time, what Until would watch. What could not be read says so
// in its Update.
func observe(ctx context.Context, c *kube.Client, queries []kube.Query) kube.World {
	world := kube.World{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, q := range queries {
		wg.Go(func() {
			objs, err := c.List(ctx, q)
			var unknown *kube.KindError
			u := kube.Update{Objects: objs, Err: err, Synced: err == nil || errors.As(err, &unknown)}
			mu.Lock()
			world[q] = u
			mu.Unlock()
		})
	}
	wg.Wait()
	return world
}

// lookWithin bounds one look. An API server that refuses says so at once; one that hangs, as it does while
// etcd is away, would keep whoever asked waiting.
const lookWithin = 5 * time.Second

// assessNow looks once and says where the scenario stands.
func (sc *compiled) assessNow(ctx context.Context, c *kube.Client) *assessment {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	world := observe(ctx, c, sc.queries())
	return sc.assess(world, c.ServerNow(), nil)
}
