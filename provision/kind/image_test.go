package kind

import (
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/docker/dockertest"
)

// store is an engine with images, each "name id version", and with ids that are recorded.
func store(recorded string, images ...string) *docker.Engine {
	d := dockertest.New()
	for _, i := range images {
		f := strings.Fields(i)
		d.AddImage(f[0], dockertest.Image{ID: f[1], Labels: map[string]string{labelKubernetes: f[2]}})
	}
	for _, id := range strings.Fields(recorded) {
		d.AddVolume("of-"+id, dockertest.Volume{Labels: map[string]string{docker.LabelRecorded: id}})
	}
	return &docker.Engine{Runner: d}
}

func TestOnlyARecordedImageOrTheReleasedOneBecomesANode(t *testing.T) {
	const own, evil = "labctl/node:v1.35.4 sha256:own 1.35.4", "labctl/node:v1.35.99 sha256:evil 1.35.99"
	released := "kindest/node:v1.35.8@" + released["1.35.8"]
	for name, c := range map[string]struct {
		store     *docker.Engine
		named     string
		want, why string
	}{
		"nothing there":               {store(""), "", released, "of kind's release, by digest"},
		"built here":                  {store("sha256:own", own), "", "labctl/node:v1.35.4", "built on this engine"},
		"loaded, of labctl's name":    {store("", evil), "", released, "of kind's release, by digest"},
		"loaded beside what is ours":  {store("sha256:own", evil, own), "", "labctl/node:v1.35.4", "built on this engine"},
		"loaded, of another name":     {store("sha256:own", "evil/node:1 sha256:own 1.35.99"), "", released, "of kind's release, by digest"},
		"recorded, of another minor":  {store("sha256:a", "labctl/node:v1.34.1 sha256:a 1.34.1"), "", released, "of kind's release, by digest"},
		"two recorded":                {store("sha256:b\nsha256:own", own, "labctl/node:v1.35.10 sha256:b 1.35.10"), "", "labctl/node:v1.35.10", "built on this engine"},
		"whatever the lab file names": {store("sha256:own", evil, own), "labctl/node:v1.35.99", "labctl/node:v1.35.99", "named by the lab file"},
	} {
		got, err := resolveImage(t.Context(), c.store, c.named, "1.35")
		if err != nil || got.name != c.want || got.why != c.why {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestAnImageThatIsNotRecordedIsNamed(t *testing.T) {
	engine := store("", "labctl/node:v1.33.1 sha256:a 1.33.1")
	_, err := resolveImage(t.Context(), engine, "", "1.33")
	if clierr.ClassOf(err) != clierr.Refused || !strings.Contains(clierr.NextOf(err), "--record labctl/node:v1.33.1") {
		t.Errorf("got %v, next %q", err, clierr.NextOf(err))
	}
}
