package mirror

import (
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/docker/dockertest"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/provision"
)

func TestWhatAMirrorLacksIsSeen(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*site)
		state  provision.State
		reason string
	}{
		"nothing": {func(*site) {}, provision.Current, "serves nginx:1.25"},
		"a substitute": {func(s *site) {
			s.AddImage("nginx:1.25", dockertest.Image{ID: "sha256:n", Labels: map[string]string{labelSubstitute: "true"}})
		}, provision.Partial, "n does not know the mirror"},
		"a newer image":       {func(s *site) { s.AddImage("nginx:1.25", dockertest.Image{ID: "sha256:new"}) }, provision.Partial, "it does not hold nginx:1.25 yet"},
		"an image of nowhere": {func(s *site) { s.Images = append(s.Images, "gone:1") }, provision.Partial, "image gone:1 is neither on the engine nor in the mirror"},
		"an empty cache":      {func(s *site) { s.Write(Container("x"), inventory, "") }, provision.Partial, "it does not hold nginx:1.25 yet"},
		"a node's file":       {func(s *site) { s.Write("n", hostsFile(dockerHub), "server = \"http://evil\"\n") }, provision.Partial, "n does not know the mirror"},
		"the registries":      {func(s *site) { s.offline = true }, provision.Partial, "n does not know the mirror"},
		"its container":       {func(s *site) { s.Add(dockertest.Container{Name: Container("x"), Labels: anns, State: "exited"}) }, provision.Partial, "labctl-mirror-x is exited"},
	} {
		s := applied(t, "nginx:1.25")
		c.change(s)
		before := changes(s)
		seen, err := s.Observe(t.Context())
		if err != nil || seen.State != c.state || seen.Reason != c.reason {
			t.Errorf("%s: %+v, %v", name, seen, err)
		}
		if after := changes(s); !slices.Equal(after, before) {
			t.Errorf("%s: observing it changed %q", name, after[len(before):])
		}
		if name == "an image of nowhere" {
			continue
		}
		if _, err := s.apply(t); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if seen, err := s.Observe(t.Context()); err != nil || seen.State != provision.Current {
			t.Errorf("%s: after it was applied again: %+v, %v", name, seen, err)
		}
	}
	if seen, err := newSite(t, "nginx:1.25").Observe(t.Context()); err != nil || seen.State != provision.Absent {
		t.Errorf("none: %+v, %v", seen, err)
	}
}

func TestStopKeepsTheMirrorForAnotherStart(t *testing.T) {
	s := applied(t, "nginx:1.25")
	for range 2 {
		if err := s.Stop(t.Context()); err != nil || !slices.Equal(s.Containers(), []string{"labctl-mirror-x exited", "n running"}) {
			t.Errorf("%v, %q", err, s.Containers())
		}
	}
	if stops := s.Ran("stop"); len(stops) != 1 {
		t.Errorf("stopped by %q", stops)
	}
	if _, err := s.apply(t); err != nil || !slices.Equal(s.Containers(), []string{"labctl-mirror-x running", "n running"}) || len(s.Ran("run")) != 1 {
		t.Errorf("started again: %v, %q, by %q", err, s.Containers(), s.Ran("run"))
	}
}

func TestDestroyKeepsTheCacheAndWhatIsOthers(t *testing.T) {
	s := applied(t, "nginx:1.25")
	s.Add(dockertest.Container{Name: s.filler(), Labels: anns})
	for range 2 {
		if err := s.Destroy(t.Context(), event.Discard); err != nil || !slices.Equal(s.Containers(), []string{"n running"}) {
			t.Errorf("%v, %q", err, s.Containers())
		}
	}
	if !slices.Contains(s.Volumes(), s.volume()) {
		t.Errorf("the cache is gone: %q", s.Volumes())
	}
	if removals := s.Ran("rm"); len(removals) != 1 {
		t.Errorf("removed by %q", removals)
	}
}

func TestAStrangersContainerIsLeftAlone(t *testing.T) {
	for name, labels := range map[string]map[string]string{
		"without labels": nil, "another owner's": {provision.LabelLab: "x", provision.LabelOwner: "bob"}, "another lab's": {provision.LabelLab: "y", provision.LabelOwner: "ann"},
	} {
		s := newSite(t, "nginx:1.25")
		s.Add(dockertest.Container{Name: Container("x"), Labels: labels})
		for what, act := range map[string]func() error{
			"preflight": func() error { return s.Preflight(t.Context()) },
			"observe":   func() error { _, err := s.Observe(t.Context()); return err },
			"apply":     func() error { _, err := s.apply(t); return err },
			"stop":      func() error { return s.Stop(t.Context()) },
		} {
			if err := act(); clierr.ClassOf(err) != clierr.Refused || !strings.Contains(err.Error(), "it is left alone") || clierr.NextOf(err) == "" {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
		if err := s.Destroy(t.Context(), event.Discard); err != nil {
			t.Errorf("%s: destroying what there is of the lab's: %v", name, err)
		}
		if made := changes(s); len(made) > 0 || !slices.Equal(s.Containers(), []string{"labctl-mirror-x running", "n running"}) {
			t.Errorf("%s: %q, by %q", name, s.Containers(), made)
		}
	}
	// A filler's name is taken.
	s := newSite(t, "nginx:1.25")
	s.Add(dockertest.Container{Name: s.filler()})
	if _, err := s.apply(t); clierr.ClassOf(err) != clierr.Refused || len(s.Ran("rm")) > 0 {
		t.Errorf("%v, after %q", err, s.Ran("rm"))
	}
}

func TestWithoutAnEngineNothingIsSaidOfTheMirror(t *testing.T) {
	s := applied(t, "nginx:1.25")
	s.Away = true
	if _, err := s.Observe(t.Context()); clierr.ClassOf(err) != clierr.Inconclusive {
		t.Errorf("observed: %v", err)
	}
	if err := s.Preflight(t.Context()); clierr.ClassOf(err) != clierr.Inconclusive {
		t.Errorf("before the first act: %v", err)
	}
	if err := s.Destroy(t.Context(), event.Discard); clierr.ClassOf(err) != clierr.Inconclusive || clierr.NextOf(err) == "" {
		t.Errorf("destroyed: %v", err)
	}
}
