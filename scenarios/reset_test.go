package scenarios

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/provision"
)

// reset does what users do by `labctl reset`.
func (b *bench) reset(ctx context.Context) error {
	graph, err := provision.NewGraph(b.r)
	if err != nil {
		b.t.Fatal(err)
	}
	return graph.Reset(ctx, b.r.Addr(), event.Discard)
}

// TestResetIsResumed cuts a reset short at each of its requests that change something. The next up has
// to finish it: what a reset has removed is not what a learner has removed, which is left alone.
func TestResetIsResumed(t *testing.T) {
	for cut := 1; ; cut++ {
		b := newBench(t, "bare-pod")
		b.up()
		stop := make(chan struct{})
		var kubelet sync.WaitGroup
		kubelet.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(5 * time.Millisecond):
					if pod := b.Get("pods", "default", "imagepull"); pod != nil && pod.Object["status"] == nil {
						b.status("imagepull", brokenStatus)
					}
				}
			}
		})
		before := b.Get("pods", "default", "imagepull").GetUID()
		ctx, kill := context.WithCancel(t.Context())
		n := 0
		var mu sync.Mutex
		b.Fail(func(r *http.Request) (int, string) {
			mu.Lock()
			defer mu.Unlock()
			if r.Method == http.MethodGet {
				return 0, ""
			}
			if n++; n >= cut {
				kill()
				return 400, "cut short by the test"
			}
			return 0, ""
		})
		err := b.reset(ctx)
		kill()
		b.Fail(nil)
		b.r = NewResource(lab, b.r.Scenario(), b, nil)
		b.r.ProveWithin = 5 * time.Second
		if aerr := b.r.Apply(t.Context(), event.Discard); aerr != nil {
			t.Fatalf("cut at %d: the next up: %v", cut, aerr)
		}
		close(stop)
		kubelet.Wait()
		b.observe(provision.Current)
		if after := b.Get("pods", "default", "imagepull").GetUID(); cut > 1 && after == before {
			t.Errorf("cut at %d: the pod was not made again", cut)
		}
		if err == nil {
			if cut < 6 {
				t.Errorf("only %d requests could be cut", cut-1)
			}
			return
		}
	}
}
