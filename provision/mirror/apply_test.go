package mirror

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

// site is an engine with images and a running mirror; pulls get what is in registry.
type site struct {
	mu       sync.Mutex
	images   map[string]string // id by name
	registry map[string]string
	recorded string
	offline  bool // the nodes reach no registry
	commands []string
}

func (s *site) Run(_ context.Context, c command.Command) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	line, last := strings.Join(c.Argv, " "), c.Argv[len(c.Argv)-1]
	s.commands = append(s.commands, line)
	out := ""
	switch {
	case strings.HasPrefix(line, "docker image inspect"):
		id, ok := s.images[last]
		if !ok {
			return &command.ExitError{Argv: c.Argv, Code: 1, Stderr: "Error: No such image"}
		}
		out = `{"id":"` + id + `","labels":{}}`
	case strings.HasPrefix(line, "docker pull"):
		id, ok := s.registry[last]
		if !ok {
			return &command.ExitError{Argv: c.Argv, Code: 1, Stderr: "manifest unknown"}
		}
		s.images[last] = id
	case strings.HasPrefix(line, "docker volume ls"):
		out = s.recorded
	case strings.Contains(line, "curl") && s.offline:
		return errors.New("no route")
	}
	if c.Stdin != nil {
		_, _ = io.Copy(io.Discard, c.Stdin)
	}
	if c.Stdout == nil {
		return nil
	}
	_, err := io.WriteString(c.Stdout, out)
	return err
}

type node struct{ provision.Resource }

func (node) NodeNames() []string { return []string{"n"} }
func (node) Addr() string        { return "cluster.kind.c" }

// apply applies a mirror and returns the milestones that it reached.
func apply(t *testing.T, s *site, images ...string) (reached []string, err error) {
	t.Helper()
	journal, err := state.Home{Dir: t.TempDir()}.Lab("x").OpenJournal()
	if err != nil {
		t.Fatal(err)
	}
	m := &Mirror{Ownership: provision.Ownership{Lab: "x", Owner: "ann"}, Images: images, Engine: &docker.Engine{Runner: s, Journal: journal}, Cluster: node{}, Network: "kind"}
	err = m.Apply(t.Context(), event.SinkFunc(func(e event.Event) {
		if milestone, ok := e.(event.Milestone); ok {
			reached = append(reached, milestone.Name)
		}
	}))
	return reached, err
}

func TestAnImageThatCannotBeHadStopsNoOther(t *testing.T) {
	s := &site{images: map[string]string{"nginx:1.25": "sha256:n", ownRegistry: "sha256:r"}, registry: map[string]string{"quay.io/x/y:1": "sha256:q"}, recorded: "sha256:r"}
	reached, err := apply(t, s, "gone:1", "nginx:1.25", "quay.io/x/y:1", "redis@sha256:12")
	if want := []string{"image:redis@sha256:12", "image:nginx:1.25", "image:quay.io/x/y:1"}; !slices.Equal(reached, want) {
		t.Errorf("reached %q", reached)
	}
	if clierr.ClassOf(err) != clierr.Failed || err == nil || !strings.Contains(err.Error(), "gone:1") || strings.Contains(err.Error(), "nginx") {
		t.Errorf("got %v", err)
	}
	if text := strings.Join(s.commands, "\n"); !strings.Contains(text, "docker save quay.io/x/y:1 | docker run") || strings.Contains(text, "--publish") {
		t.Errorf("commands:\n%s", text)
	}
}

func TestADigestNeedsItsRegistry(t *testing.T) {
	s := &site{images: map[string]string{ownRegistry: "sha256:r"}, recorded: "sha256:r", offline: true}
	if reached, err := apply(t, s, "redis@sha256:12"); err == nil || len(reached) > 0 {
		t.Errorf("reached %q, %v", reached, err)
	}
}

func TestOnlyARecordedOrReleasedRegistryServes(t *testing.T) {
	for name, c := range map[string]struct {
		s    *site
		want string
	}{
		"recorded": {&site{images: map[string]string{ownRegistry: "sha256:r"}, recorded: "sha256:r"}, "sha256:r"},
		"loaded":   {&site{images: map[string]string{ownRegistry: "sha256:evil"}, registry: map[string]string{registryImage: "sha256:d"}}, registryImage},
		"pulled":   {&site{images: map[string]string{registryImage: "sha256:d"}}, registryImage},
	} {
		c.s.images["nginx:1.25"] = "sha256:n"
		if _, err := apply(t, c.s, "nginx:1.25"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		started := slices.IndexFunc(c.s.commands, func(line string) bool { return strings.HasPrefix(line, "docker run") })
		if started < 0 || !strings.HasSuffix(c.s.commands[started], " "+c.want) {
			t.Errorf("%s: %q", name, c.s.commands)
		}
	}
}
