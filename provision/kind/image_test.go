package kind

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/docker"
)

// imageStore is an engine with images, each "name id version", and with ids that are recorded.
type imageStore struct {
	images   []string
	recorded string
}

func (s imageStore) Run(_ context.Context, c command.Command) error {
	var out string
	switch strings.Join(c.Argv[1:3], " ") {
	case "volume ls":
		out = s.recorded
	case "images --format":
		for _, i := range s.images {
			if name := strings.Fields(i)[0]; strings.HasPrefix(name, c.Argv[len(c.Argv)-1]+":") {
				out += name + "\n"
			}
		}
	case "images --filter": // by a label
		for _, i := range s.images {
			out += strings.Fields(i)[0] + "\n"
		}
	case "image inspect":
		for _, i := range s.images {
			if f := strings.Fields(i); f[0] == c.Argv[len(c.Argv)-1] {
				out = `{"id":"` + f[1] + `","labels":{"labctl.kubernetes":"` + f[2] + `"}}`
			}
		}
		if out == "" {
			return &command.ExitError{Argv: c.Argv, Code: 1, Stderr: "Error: No such image"}
		}
	}
	_, err := io.WriteString(c.Stdout, out)
	return err
}

func TestOnlyARecordedImageOrTheReleasedOneBecomesANode(t *testing.T) {
	const own, evil = "labctl/node:v1.35.4 sha256:own 1.35.4", "labctl/node:v1.35.99 sha256:evil 1.35.99"
	released := "kindest/node:v1.35.8@" + released["1.35.8"]
	for name, c := range map[string]struct {
		store     imageStore
		named     string
		want, why string
	}{
		"nothing there":               {imageStore{}, "", released, "of kind's release, by digest"},
		"built here":                  {imageStore{[]string{own}, "sha256:own"}, "", "labctl/node:v1.35.4", "built on this engine"},
		"loaded, of labctl's name":    {imageStore{[]string{evil}, ""}, "", released, "of kind's release, by digest"},
		"loaded beside what is ours":  {imageStore{[]string{evil, own}, "sha256:own"}, "", "labctl/node:v1.35.4", "built on this engine"},
		"loaded, of another name":     {imageStore{[]string{"evil/node:1 sha256:own 1.35.99"}, "sha256:own"}, "", released, "of kind's release, by digest"},
		"recorded, of another minor":  {imageStore{[]string{"labctl/node:v1.34.1 sha256:a 1.34.1"}, "sha256:a"}, "", released, "of kind's release, by digest"},
		"two recorded":                {imageStore{[]string{own, "labctl/node:v1.35.10 sha256:b 1.35.10"}, "sha256:b\nsha256:own"}, "", "labctl/node:v1.35.10", "built on this engine"},
		"whatever the lab file names": {imageStore{[]string{evil, own}, "sha256:own"}, "labctl/node:v1.35.99", "labctl/node:v1.35.99", "named by the lab file"},
	} {
		got, err := resolveImage(t.Context(), &docker.Engine{Runner: c.store}, c.named, "1.35")
		if err != nil || got.name != c.want || got.why != c.why {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestAnImageThatIsNotRecordedIsNamed(t *testing.T) {
	store := imageStore{[]string{"labctl/node:v1.33.1 sha256:a 1.33.1"}, ""}
	_, err := resolveImage(t.Context(), &docker.Engine{Runner: store}, "", "1.33")
	if clierr.ClassOf(err) != clierr.Refused || !strings.Contains(clierr.NextOf(err), "--record labctl/node:v1.33.1") {
		t.Errorf("got %v, next %q", err, clierr.NextOf(err))
	}
}
