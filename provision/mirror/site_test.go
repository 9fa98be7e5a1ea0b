package mirror

import (
	"errors"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/docker/dockertest"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

// site is the lab x of ann on an engine that has the node n and a registry's image of labctl's own.
type site struct {
	*dockertest.Engine
	*Mirror
	offline bool // the nodes reach no registry
	held    string
}

var anns = map[string]string{provision.LabelLab: "x", provision.LabelOwner: "ann"}

type node struct{ provision.Resource }

func (node) NodeNames() []string { return []string{"n"} }
func (node) Addr() string        { return "cluster.kind.c" }

func newSite(t *testing.T, images ...string) *site {
	t.Helper()
	journal, err := state.Home{Dir: t.TempDir()}.Lab("x").OpenJournal()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{Engine: dockertest.New()}
	s.Add(dockertest.Container{Name: "n", Labels: anns, Network: "kind"})
	s.AddImage(ownRegistry, dockertest.Image{ID: "sha256:r"})
	s.AddVolume("recorded", dockertest.Volume{Labels: map[string]string{docker.LabelRecorded: "sha256:r"}})
	s.AddImage("nginx:1.25", dockertest.Image{ID: "sha256:n"})
	s.Exec = s.play
	s.Mirror = &Mirror{
		Ownership: provision.Ownership{Lab: "x", Owner: "ann"}, Images: images, Cluster: node{}, Network: "kind",
		Engine: &docker.Engine{Runner: s.Engine, Journal: journal},
	}
	return s
}

// play is what runs in the node, and in the container that fills the cache.
func (s *site) play(container string, argv []string, stdin string) (string, error) {
	switch {
	case argv[0] == "curl" && s.offline:
		return "", errors.New("no route")
	case container == "n" && argv[0] == "sh":
		s.Write("n", argv[len(argv)-1], stdin)
	case container == "":
		words := strings.Fields(argv[2])
		s.held += strings.Join(words[len(words)-2:], " ") + "\n"
		s.Write(Container("x"), inventory, s.held)
	}
	return "", nil
}

// apply applies the mirror and returns the milestones that it reached.
func (s *site) apply(t *testing.T) (reached []string, err error) {
	t.Helper()
	err = s.Apply(t.Context(), event.SinkFunc(func(e event.Event) {
		if milestone, ok := e.(event.Milestone); ok {
			reached = append(reached, milestone.Name)
		}
	}))
	return reached, err
}

// applied is a site whose mirror serves the images.
func applied(t *testing.T, images ...string) *site {
	t.Helper()
	s := newSite(t, images...)
	if reached, err := s.apply(t); err != nil || len(reached) != len(images) {
		t.Fatalf("reached %q, %v", reached, err)
	}
	return s
}
