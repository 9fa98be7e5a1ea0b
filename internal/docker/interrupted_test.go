package docker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/docker/dockertest"
	"github.com/labctl/labctl/internal/state"
)

// labelled are the labels of the lab in these tests.
var labelled = map[string]string{"l": "1"}

func engine(t *testing.T, runner command.Runner, unfinished ...state.Act) *Engine {
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
	return &Engine{Runner: runner, Journal: journal}
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
	d := dockertest.New()
	e := engine(t, d)
	if err := e.AwaitInterruptedOps(t.Context(), true, "l=1"); err != nil || len(d.Ran("")) > 0 {
		t.Errorf("%v, after %q", err, d.Ran(""))
	}
	// An act that has no late effect is closed, and that is all.
	e = engine(t, d, state.Act{Verb: "docker pull", Object: "x"})
	if err := e.AwaitInterruptedOps(t.Context(), true, "l=1"); err != nil || len(d.Ran("")) > 0 || open(t, e) > 0 {
		t.Errorf("%v, after %q, %d acts open", err, d.Ran(""), open(t, e))
	}
}

func TestSettleLeavesOthersActsOpen(t *testing.T) {
	e := engine(t, dockertest.New(), state.Act{Verb: "ec2 RunInstances", Object: "host"})
	if err := e.AwaitInterruptedOps(t.Context(), true, "l=1"); err != nil || open(t, e) != 1 {
		t.Errorf("%v, %d acts open", err, open(t, e))
	}
}

func TestSettleWaitsForALateContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const late = 700 * time.Millisecond
		d := dockertest.New()
		d.AddVolume("orphan", dockertest.Volume{Labels: labelled})
		d.AddVolume("busy", dockertest.Volume{Labels: labelled, Busy: 1})
		d.AddVolume("foreign", dockertest.Volume{})
		e := engine(t, d, state.Act{Verb: "docker run", Object: "node"})
		time.AfterFunc(late, func() { d.Add(dockertest.Container{Name: "node", Labels: labelled}) })
		began := time.Now()
		if err := e.AwaitInterruptedOps(t.Context(), true, "l=1"); err != nil {
			t.Fatal(err)
		}
		// One look more, since a volume was in use.
		if took := time.Since(began); took != late+100*time.Millisecond {
			t.Errorf("it took %s although the container came after %s", took, late)
		}
		if len(d.Ran("events")) != 1 || !slices.Equal(d.Volumes(), []string{"foreign"}) || open(t, e) > 0 {
			t.Errorf("after %q: volumes %v, %d acts open", d.Ran(""), d.Volumes(), open(t, e))
		}
		// And not a second time.
		before := len(d.Ran(""))
		if err := e.AwaitInterruptedOps(t.Context(), true, "l=1"); err != nil || len(d.Ran("")) > before {
			t.Errorf("the second time: %v, after %q", err, d.Ran("")[before:])
		}
	})
}

func TestSettleGivesALateContainerItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dockertest.New()
		e := engine(t, d, state.Act{Verb: "docker run", Object: "node"})
		time.AfterFunc(time.Second, func() { d.Add(dockertest.Container{Name: "another", Labels: labelled}) })
		began := time.Now()
		if err := e.AwaitInterruptedOps(t.Context(), true, "l=1"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != lateWindow {
			t.Errorf("it waited for %s", took)
		}
	})
}

func TestSettleFinishesStops(t *testing.T) {
	for finish, want := range map[bool]string{true: "exited", false: "running"} {
		d := dockertest.New()
		d.Add(dockertest.Container{Name: "node", Labels: labelled})
		d.Add(dockertest.Container{Name: "other", Labels: labelled})
		e := engine(t, d, state.Act{Verb: "docker stop", Object: "node"})
		err := e.AwaitInterruptedOps(t.Context(), finish, "l=1")
		if got := d.Containers(); err != nil || !slices.Equal(got, []string{"node " + want, "other running"}) || open(t, e) > 0 {
			t.Errorf("finish %t: %v, %q, %d acts open", finish, err, got, open(t, e))
		}
	}
}

func TestSettleWithoutAnEngineForgetsNothing(t *testing.T) {
	d := dockertest.New()
	d.Away = true
	e := engine(t, d, state.Act{Verb: "docker run", Object: "node"})
	if err := e.AwaitInterruptedOps(t.Context(), true, "l=1"); err != nil || open(t, e) != 1 {
		t.Errorf("%v, %d acts open", err, open(t, e))
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
	synctest.Test(t, func(t *testing.T) {
		d := dockertest.New()
		d.AddVolume("v", dockertest.Volume{Labels: labelled, Busy: 1, Anonymous: true})
		d.Before = func(line string) {
			if line == "volume rm v" {
				d.Add(dockertest.Container{Name: "node", Labels: labelled, Volumes: []string{"v"}})
			}
		}
		removed, err := engine(t, d).Clear(t.Context(), "a", nil, "l=1")
		if err != nil || len(removed) != 1 || removed[0].Name != "node" {
			t.Errorf("removed %v, %v", removed, err)
		}
		if len(d.Containers()) > 0 || len(d.Volumes()) > 0 {
			t.Errorf("left: %v, %v", d.Containers(), d.Volumes())
		}
	})
}

func TestClearLooksAgainAfterWhatWasKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dockertest.New()
		d.Add(dockertest.Container{Name: "a", Labels: labelled})
		d.Add(dockertest.Container{Name: "b", Labels: labelled})
		d.Add(dockertest.Container{Name: "foreign"})
		e := engine(t, d)
		known, err := e.Containers(t.Context(), "l=1")
		if err != nil {
			t.Fatal(err)
		}
		if removed, err := e.Clear(t.Context(), "a", known, "l=1"); err != nil || len(removed) != 2 || !slices.Equal(d.Containers(), []string{"foreign running"}) {
			t.Errorf("removed %v, left %v, %v", removed, d.Containers(), err)
		}
		if looks := len(d.Ran("ps")); looks != 2 {
			t.Errorf("%d looks, want the caller's and one after the removal", looks)
		}
	})
}

func TestClearLeavesAVolumeOfAnothersContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dockertest.New()
		d.AddVolume("v", dockertest.Volume{Labels: labelled})
		d.Add(dockertest.Container{Name: "theirs", Volumes: []string{"v"}})
		_, err := engine(t, d).Clear(t.Context(), "a", nil, "l=1")
		if clierr.ClassOf(err) != clierr.Leftover || !strings.Contains(err.Error(), "theirs") || clierr.NextOf(err) == "" {
			t.Errorf("%v, want what is left and whose container has it", err)
		}
		if len(d.Ran("rm")) > 0 {
			t.Error("a container was removed")
		}
	})
}
