package mirror

import (
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/provision"
)

func TestInventoryKeepsOtherLabsImages(t *testing.T) {
	held := "nginx:1.25 sha256:old\nredis:7 sha256:r\n"
	got := merge(held, []localImage{{"nginx:1.25", docker.Image{ID: "sha256:new"}}, {"busybox:1.36", docker.Image{ID: "sha256:b"}}})
	want := "redis:7 sha256:r\nnginx:1.25 sha256:new\nbusybox:1.36 sha256:b\n"
	if got != want {
		t.Errorf("got %q", got)
	}
}

func TestRepositoriesAreDockerHubs(t *testing.T) {
	for in, want := range map[string]string{"nginx:1.25": "library/nginx:1.25", "docker.io/nginx:1": "library/nginx:1", "bitnami/redis:7": "bitnami/redis:7"} {
		if got := repository(in); got != want {
			t.Errorf("%s: got %s", in, got)
		}
	}
}

func TestTheMirrorIsTheAuthorityOnlyWhereNothingElseIs(t *testing.T) {
	m := &Mirror{Marks: provision.Marks{Lab: "x", Owner: "ann"}}
	if open := m.hosts(false); strings.Contains(open, "server =") || !strings.Contains(open, `[host."http://labctl-mirror-x:5000"]`) {
		t.Errorf("with Docker Hub in reach:\n%s", open)
	}
	if closed := m.hosts(true); !strings.HasPrefix(closed, `server = "http://labctl-mirror-x:5000"`) || strings.Contains(closed, "push") {
		t.Errorf("without Docker Hub:\n%s", closed)
	}
}

func TestContentsChangeWithABuild(t *testing.T) {
	a := contents([]localImage{{"nginx:1.25", docker.Image{ID: "1"}}})
	if b := contents([]localImage{{"nginx:1.25", docker.Image{ID: "2"}}}); a == b {
		t.Error("another build of an image has the same contents")
	}
	if b := contents([]localImage{{"nginx:1.25", docker.Image{ID: "1"}}}); a != b {
		t.Error("the same images have other contents")
	}
}

func TestOwnersHaveCachesOfTheirOwn(t *testing.T) {
	a, b := &Mirror{Marks: provision.Marks{Owner: "ann"}}, &Mirror{Marks: provision.Marks{Owner: "bob"}}
	if a.volume() == b.volume() {
		t.Errorf("both use %s", a.volume())
	}
}
