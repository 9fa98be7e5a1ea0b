package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/internal/untrusted"
)

// hangs is a runner whose commands end with their context only.
type hangs struct{}

func (hangs) Run(ctx context.Context, _ command.Command) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func TestEveryReadEndsByItself(t *testing.T) {
	for name, read := range map[string]func(*Engine, context.Context) error{
		"info":    func(e *Engine, ctx context.Context) error { _, err := e.Info(ctx); return err },
		"ps":      func(e *Engine, ctx context.Context) error { _, err := e.Containers(ctx); return err },
		"volumes": func(e *Engine, ctx context.Context) error { _, err := e.Volumes(ctx); return err },
		"network": func(e *Engine, ctx context.Context) error { _, err := e.Endpoints(ctx, "kind"); return err },
		"image":   func(e *Engine, ctx context.Context) error { _, _, err := e.Image(ctx, "x"); return err },
		"exec":    func(e *Engine, ctx context.Context) error { _, err := e.Output(ctx, "exec", "n", "cat"); return err },
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			err := read(&Engine{Runner: hangs{}}, t.Context())
			if clierr.ClassOf(err) != clierr.Inconclusive || !errors.Is(err, ErrNoEngine) || clierr.NextOf(err) == "" || time.Since(began) > time.Minute {
				t.Errorf("%s: %v after %s, want that no engine answers", name, err, time.Since(began))
			}
			if name == "info" && err.Error() != "no Docker engine answers within 10s (docker info)" {
				t.Errorf("%v", err)
			}
			near, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began = time.Now()
			if err := read(&Engine{Runner: hangs{}}, near); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
				t.Errorf("%s: %v after %s, want the caller's own deadline", name, err, time.Since(began))
			}
		})
	}
}

func TestEveryChangeEndsByItself(t *testing.T) {
	for command, within := range map[string]time.Duration{"rm": 10 * time.Minute, "pull": time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			e := engine(t, nil)
			e.Runner = hangs{}
			began := time.Now()
			_, err := e.Change(t.Context(), state.Act{Verb: "docker " + command, Object: "x"}, nil, command, "x")
			if clierr.ClassOf(err) != clierr.Inconclusive || time.Since(began) != within || !strings.Contains(err.Error(), "docker "+command+" has not ended within "+count.Duration(within)) {
				t.Errorf("%v after %s", err, time.Since(began))
			}
			if open(t, e) != 1 {
				t.Error("the act counts as ended, though the engine may go on with it")
			}
		})
	}
}

// eventless is an engine whose list of events ends at once; everything else answers with nothing.
type eventless struct{ err error }

func (r eventless) Run(_ context.Context, c command.Command) error {
	if c.Argv[1] == "events" {
		return r.err
	}
	return nil
}

func TestEventsThatEndEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engine(t, nil, state.Act{Verb: "docker run", Object: "node"})
		e.Runner = eventless{}
		began := time.Now()
		if err := e.AwaitInterruptedOps(t.Context(), true, "l=1"); err != nil || time.Since(began) < lateWindow || time.Since(began) > 2*lateWindow {
			t.Errorf("%v after %s; a late container has to be given its time", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), lateWindow/2)
		defer cancel()
		if err := e.AwaitLate(ctx, []string{"node"}, "l=1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want the caller's end", err)
		}
	})
}

// A name that comes in two parts, among events without end.
func TestEventsAreReadInBoundedMemory(t *testing.T) {
	done := 0
	w := untrusted.Lines(maxEvent, awaitAll([]string{"node-1", "node-2"}, func() { done++ }))
	for range 1000 {
		fmt.Fprint(w, strings.Repeat("x", 10<<10))
	}
	fmt.Fprint(w, "\nnode-1\nno")
	if done != 0 {
		t.Error("done before the second")
	}
	fmt.Fprint(w, "de-2\n")
	if done != 1 {
		t.Errorf("done %d times", done)
	}
}
