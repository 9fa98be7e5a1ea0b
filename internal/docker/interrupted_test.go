package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/state"
)

// world is an engine as the docker command shows it.
type world struct {
	mu         sync.Mutex
	commands   []string
	containers []string        // names
	volumes    map[string]bool // name: in use
	appears    string          // a container that is made as soon as somebody listens
	late       string          // a container that shows once its volume could not be removed
	stranger   string          // a container without the labels that has the volumes
	away       bool
}

func (w *world) Run(ctx context.Context, c command.Command) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	line := strings.Join(c.Argv[1:], " ")
	w.commands = append(w.commands, line)
	if w.away {
		return &command.ExitError{Argv: c.Argv, Code: 1, Stderr: "Cannot connect to the Docker daemon at unix:///var/run/docker.sock."}
	}
	switch {
	case strings.HasPrefix(line, "events"):
		if w.appears != "" {
			w.containers = append(w.containers, w.appears)
			fmt.Fprintln(c.Stdout, w.appears)
		}
		w.mu.Unlock()
		<-ctx.Done()
		w.mu.Lock()
		return context.Cause(ctx)
	case strings.HasPrefix(line, "ps") && !strings.Contains(line, "status=removing") && !strings.Contains(line, "volume="):
		for _, name := range w.containers {
			fmt.Fprintf(c.Stdout, "{\"id\":\"1\",\"name\":%q,\"image\":\"i\",\"state\":\"running\",\"labels\":\"\"}\n", name)
		}
	case strings.HasPrefix(line, "ps") && strings.Contains(line, "volume=") && w.stranger != "":
		fmt.Fprintf(c.Stdout, "{\"id\":\"2\",\"name\":%q,\"image\":\"i\",\"state\":\"running\",\"labels\":\"\"}\n", w.stranger)
	case strings.HasPrefix(line, "rm "):
		w.containers = nil
	case strings.HasPrefix(line, "volume ls"):
		for name := range w.volumes {
			fmt.Fprintln(c.Stdout, name)
		}
	case strings.HasPrefix(line, "volume rm"):
		name := c.Argv[len(c.Argv)-1]
		if w.volumes[name] {
			w.volumes[name] = w.stranger != "" // next time its container is gone
			if w.late != "" {
				w.containers, w.late = append(w.containers, w.late), ""
			}
			return &command.ExitError{Argv: c.Argv, Code: 1, Stderr: "Error response from daemon: remove " + name + ": volume is in use - [1]"}
		}
		delete(w.volumes, name)
	}
	return nil
}

func (w *world) ran(prefix string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(w.commands), func(c string) bool { return !strings.HasPrefix(c, prefix) }))
}

func engine(t *testing.T, w *world, unfinished ...state.Act) *Engine {
	t.Helper()
	journal, err := state.Home{Dir: t.TempDir()}.Lab("demo").OpenJournal()
	if err != nil {
		t.Fatal(err)
	}
	for _, act := range unfinished {
		if _, err := journal.Begin(act); err != nil {
			t.Fatal(err)
		}
	}
	return &Engine{Runner: w, Journal: journal}
}

func open(t *testing.T, e *Engine) int {
	t.Helper()
	acts, err := e.Journal.Unfinished()
	if err != nil {
		t.Fatal(err)
	}
	return len(acts)
}

func TestSettleWaitsForNothingWithoutACause(t *testing.T) {
	w := &world{}
	e := engine(t, w)
	if err := e.AwaitInterruptedOps(t.Context(), true, "l=1"); err != nil || len(w.commands) > 0 {
		t.Errorf("Settle: %v, after %q", err, w.commands)
	}
	// An act that has no late effect is closed, and that is all.
	e = engine(t, w, state.Act{Verb: "docker pull", Object: "x"})
	if err := e.AwaitInterruptedOps(t.Context(), true, "l=1"); err != nil || len(w.commands) > 0 || open(t, e) > 0 {
		t.Errorf("Settle: %v, after %q, %d acts open", err, w.commands, open(t, e))
	}
}

func TestSettleLeavesOthersActsOpen(t *testing.T) {
	w := &world{}
	e := engine(t, w, state.Act{Verb: "ec2 RunInstances", Object: "host"})
	if err := e.AwaitInterruptedOps(t.Context(), true, "l=1"); err != nil || open(t, e) != 1 {
		t.Errorf("Settle: %v, %d acts open", err, open(t, e))
	}
}

func TestSettleWaitsForALateContainer(t *testing.T) {
	w := &world{appears: "node", volumes: map[string]bool{"orphan": false, "busy": true}}
	e := engine(t, w, state.Act{Verb: "docker run", Object: "node"})
	began := time.Now()
	if err := e.AwaitInterruptedOps(t.Context(), true, "l=1"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took >= lateWindow {
		t.Errorf("it took %s although the container came at once", took)
	}
	if w.ran("events") != 1 || len(w.volumes) > 0 || w.ran("volume rm") != 3 || open(t, e) > 0 {
		t.Errorf("after %q: volumes %v, %d acts open", w.commands, w.volumes, open(t, e))
	}
	// And not a second time.
	w.commands = nil
	if err := e.AwaitInterruptedOps(t.Context(), true, "l=1"); err != nil || len(w.commands) > 0 {
		t.Errorf("the second Settle: %v, after %q", err, w.commands)
	}
}

func TestSettleGivesALateContainerItsTime(t *testing.T) {
	e := engine(t, &world{}, state.Act{Verb: "docker run", Object: "node"})
	began := time.Now()
	if err := e.AwaitInterruptedOps(t.Context(), true, "l=1"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < lateWindow {
		t.Errorf("it waited for %s only", took)
	}
}

func TestSettleFinishesStops(t *testing.T) {
	for finish, want := range map[bool]int{true: 1, false: 0} {
		w := &world{containers: []string{"node"}}
		e := engine(t, w, state.Act{Verb: "docker stop", Object: "node"})
		if err := e.AwaitInterruptedOps(t.Context(), finish, "l=1"); err != nil || w.ran("stop") != want || open(t, e) > 0 {
			t.Errorf("finish %t: %v, %d stops, %d acts open", finish, err, w.ran("stop"), open(t, e))
		}
	}
}

func TestSettleWithoutAnEngineForgetsNothing(t *testing.T) {
	e := engine(t, &world{away: true}, state.Act{Verb: "docker run", Object: "node"})
	if err := e.AwaitInterruptedOps(t.Context(), true, "l=1"); err != nil || open(t, e) != 1 {
		t.Errorf("Settle: %v, %d acts open", err, open(t, e))
	}
}

// TestActThatWasCutOffStaysOpen: the engine may go on with what a killed command has asked for.
func TestActThatWasCutOffStaysOpen(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("Ctrl-C"))
	for _, c := range []struct {
		name string
		ctx  context.Context
		fail error
		open int
	}{
		{"cancelled", ctx, errors.New("Ctrl-C"), 1},
		{"killed", t.Context(), &command.ExitError{Code: -1}, 1},
		{"failed", t.Context(), &command.ExitError{Code: 125}, 0},
		{"done", t.Context(), nil, 0},
	} {
		e := engine(t, nil)
		e.Runner = failing{c.fail}
		if _, err := e.Change(c.ctx, state.Act{Verb: "docker run", Object: "x"}, nil, "run", "x"); !errors.Is(err, c.fail) {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := open(t, e); got != c.open {
			t.Errorf("%s: %d acts open, want %d", c.name, got, c.open)
		}
	}
}

type failing struct{ err error }

func (f failing) Run(context.Context, command.Command) error { return f.err }

// The engine was still making the container when its lab was looked for: only its volume was there.
func TestClearRemovesWhatComesLate(t *testing.T) {
	w := &world{volumes: map[string]bool{"v": true}, late: "node"}
	removed, err := engine(t, w).Clear(t.Context(), "a", nil, "l=x")
	if err != nil || len(removed) != 1 || removed[0].Name != "node" {
		t.Errorf("removed %v, %v", removed, err)
	}
	if len(w.containers) > 0 || len(w.volumes) > 0 {
		t.Errorf("left: %v, %v", w.containers, w.volumes)
	}
}

func TestClearLooksAgainAfterWhatWasKnown(t *testing.T) {
	w := &world{containers: []string{"a", "b"}}
	e := engine(t, w)
	known, err := e.Containers(t.Context(), "l=x")
	if err != nil {
		t.Fatal(err)
	}
	if removed, err := e.Clear(t.Context(), "a", known, "l=x"); err != nil || len(removed) != 2 || len(w.containers) > 0 {
		t.Errorf("removed %v, left %v, %v", removed, w.containers, err)
	}
	if looks := w.ran("ps"); looks != 2 {
		t.Errorf("%d looks, want the caller's and one after the removal", looks)
	}
}

func TestClearLeavesAVolumeOfAnothersContainer(t *testing.T) {
	w := &world{volumes: map[string]bool{"v": true}, stranger: "theirs"}
	_, err := engine(t, w).Clear(t.Context(), "a", nil, "l=x")
	if clierr.ClassOf(err) != clierr.Leftover || !strings.Contains(err.Error(), "theirs") || clierr.NextOf(err) == "" {
		t.Errorf("%v, want what is left and whose container has it", err)
	}
	if w.ran("rm ") > 0 {
		t.Error("a container was removed")
	}
}
