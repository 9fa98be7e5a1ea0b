package lab

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/state"
)

// engineAt answers as the engine with an id, reached at an endpoint, and as one on which nothing is.
type engineAt struct{ id, endpoint string }

func (e engineAt) Run(_ context.Context, c command.Command) error {
	out := ""
	switch c.Argv[1] {
	case "info":
		out = `{"ID":"` + e.id + `","Name":"here","ServerVersion":"27.0.1"}`
	case "context":
		out = e.endpoint + "\n"
	}
	_, err := io.WriteString(c.Stdout, out)
	return err
}

func TestALabIsOnTheEngineThatItWasMadeOn(t *testing.T) {
	made := state.EngineState{ID: "A", Endpoint: "unix:///run/a.sock on here"}
	for name, c := range map[string]struct {
		known state.EngineState
		now   engineAt
		want  string
	}{
		"the same":                {made, engineAt{"A", "unix:///run/a.sock"}, ""},
		"the same, another way":   {made, engineAt{"A", "ssh://ann@here"}, ""},
		"another":                 {made, engineAt{"B", "tcp://docker:2376"}, "tcp://docker:2376 on here"},
		"set up anew":             {made, engineAt{"B", "unix:///run/a.sock"}, ""},
		"unknown to an old state": {state.EngineState{}, engineAt{"B", "unix:///run/b.sock"}, ""},
	} {
		st := &state.State{Lab: "x", Engine: c.known}
		if got := differs(t.Context(), &docker.Engine{Runner: c.now}, st); got != c.want {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// TestDestroyOnAnotherEngineForgetsNothing has a docker that speaks to another engine.
func TestDestroyOnAnotherEngineForgetsNothing(t *testing.T) {
	bin, home := t.TempDir(), t.TempDir()
	script := "#!/bin/sh\ncase $1 in\ninfo) echo '{\"ID\":\"B\",\"Name\":\"here\",\"ServerVersion\":\"27.0.1\"}';;\ncontext) echo tcp://docker:2376;;\nesac\n"
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	files := state.Home{Dir: home}.Lab("x")
	if err := files.Save(&state.State{Lab: "x", Owner: "ann", Engine: state.EngineState{ID: "A", Endpoint: "unix:///run/a.sock on here"}}); err != nil {
		t.Fatal(err)
	}
	m := &Machine{Environ: []string{"LABCTL_HOME=" + home, "PATH=" + bin + ":" + os.Getenv("PATH")}, Owner: "ann", Events: event.Discard}
	_, err := m.Destroy(t.Context(), Target{Lab: "x"})
	if clierr.ClassOf(err) != clierr.Refused || !strings.Contains(err.Error(), "unix:///run/a.sock on here") || !strings.Contains(clierr.NextOf(err), "DOCKER_HOST=unix:///run/a.sock") {
		t.Errorf("got %v, next %q", err, clierr.NextOf(err))
	}
	if _, err := files.Load(); err != nil {
		t.Errorf("the state was not kept: %v", err)
	}
	all, err := m.List(t.Context(), false)
	if clierr.ClassOf(err) != clierr.Inconclusive || len(all) != 1 || all[0].State != CannotBeTold || !strings.Contains(all[0].Detail, "another one now") {
		t.Errorf("listed as %+v, %v", all, err)
	}
}
