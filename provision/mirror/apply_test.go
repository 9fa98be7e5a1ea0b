package mirror

import (
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/docker/dockertest"
)

func TestAnImageThatCannotBeHadStopsNoOther(t *testing.T) {
	s := newSite(t, "gone:1", "nginx:1.25", "quay.io/x/y:1", "redis@sha256:12")
	s.Publish("quay.io/x/y:1", dockertest.Image{ID: "sha256:q"})
	reached, err := s.apply(t)
	if want := []string{"image:redis@sha256:12", "image:nginx:1.25", "image:quay.io/x/y:1"}; !slices.Equal(reached, want) {
		t.Errorf("reached %q", reached)
	}
	if clierr.ClassOf(err) != clierr.Failed || err == nil || !strings.Contains(err.Error(), "gone:1") || strings.Contains(err.Error(), "nginx") {
		t.Errorf("got %v", err)
	}
	if s.held != "nginx:1.25 sha256:n\nquay.io/x/y:1 sha256:q\n" {
		t.Errorf("it holds %q", s.held)
	}
	if text := strings.Join(s.Ran(""), "\n"); !strings.Contains(text, "docker save quay.io/x/y:1 | docker run") || strings.Contains(text, "--publish") {
		t.Errorf("commands:\n%s", text)
	}
}

func TestADigestNeedsItsRegistry(t *testing.T) {
	s := newSite(t, "redis@sha256:12")
	s.offline = true
	if reached, err := s.apply(t); err == nil || len(reached) > 0 {
		t.Errorf("reached %q, %v", reached, err)
	}
}

func TestOnlyARecordedOrReleasedRegistryServes(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*site)
		want   string
	}{
		"recorded": {func(*site) {}, "sha256:r"},
		"loaded": {func(s *site) {
			s.AddImage(ownRegistry, dockertest.Image{ID: "sha256:evil"})
			s.Publish(registryImage, dockertest.Image{ID: "sha256:d"})
		}, registryImage},
		"pulled": {func(s *site) {
			s.AddVolume("recorded", dockertest.Volume{})
			s.AddImage(registryImage, dockertest.Image{ID: "sha256:d"})
		}, registryImage},
	} {
		s := newSite(t, "nginx:1.25")
		c.change(s)
		if _, err := s.apply(t); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		started := s.Ran("run")
		if len(started) != 1 || !strings.HasSuffix(started[0], " "+c.want) {
			t.Errorf("%s: %q", name, started)
		}
	}
}

// changes are the commands so far that change something.
func changes(s *site) []string {
	return slices.Concat(s.Ran("run"), s.Ran("start"), s.Ran("stop"), s.Ran("rm"), s.Ran("volume create"), s.Ran("pull"), s.Ran("exec -i"), s.Ran("sh"))
}

func TestApplyingAgainChangesNothing(t *testing.T) {
	s := applied(t, "nginx:1.25")
	before := changes(s)
	if len(before) != 4 { // a volume, a container, the node's file, an image
		t.Errorf("the first time: %q", before)
	}
	if reached, err := s.apply(t); err != nil || !slices.Equal(reached, []string{"image:nginx:1.25"}) {
		t.Errorf("reached %q, %v", reached, err)
	}
	if after := changes(s); !slices.Equal(after, before) {
		t.Errorf("changed %q", after)
	}
}
