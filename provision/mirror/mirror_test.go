package mirror

import (
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/provision"
)

func TestInventoryNamesBuilds(t *testing.T) {
	const held = "nginx:1.25 sha256:n\nquay.io/x/nginx:1.25 sha256:q\n"
	for _, c := range []struct {
		name, id string
		want     bool
	}{
		{"nginx:1.25", "sha256:n", true},
		{"nginx:1.25", "sha256:new", false},
		{"x/nginx:1.25", "sha256:q", false},
		{"busybox:1.36", "sha256:n", false},
	} {
		if got := len(lacks(held, []localImage{{c.name, docker.Image{ID: c.id}}})) == 0; got != c.want {
			t.Errorf("%s %s is held: %t", c.name, c.id, got)
		}
	}
	if holds(held, "x/nginx:1.25") || !holds(held, "quay.io/x/nginx:1.25") {
		t.Error("a name is found by its end")
	}
}

func TestNamesAreTakenApartAsContainerdDoes(t *testing.T) {
	for in, want := range map[string]string{
		"nginx":                             "docker.io library/nginx latest",
		"nginx:1.25":                        "docker.io library/nginx 1.25",
		"docker.io/nginx:1":                 "docker.io library/nginx 1",
		"index.docker.io/library/nginx:1":   "docker.io library/nginx 1",
		"bitnami/redis:7":                   "docker.io bitnami/redis 7",
		"quay.io/x/y:1":                     "quay.io quay.io/x/y 1",
		"registry.k8s.io/pause":             "registry.k8s.io registry.k8s.io/pause latest",
		"localhost:5000/z":                  "localhost:5000 localhost__5000/z latest",
		"localhost/z:2":                     "localhost localhost/z 2",
		"nginx@sha256:12":                   "docker.io library/nginx @sha256:12",
		"ghcr.io/a/b:1@sha256:12":           "ghcr.io ghcr.io/a/b 1@sha256:12",
		"library/nginx.example:5":           "docker.io library/nginx.example 5",
		"Registry.Corp.example:443/Team/x:": "Registry.Corp.example:443 registry.corp.example__443/Team/x latest",
	} {
		r := parse(in)
		got := r.registry + " " + r.path() + " " + r.tag
		if r.digest != "" {
			got += "@" + r.digest
		}
		if got != want {
			t.Errorf("%s: got %s", in, got)
		}
	}
}

func TestTheMirrorIsTheAuthorityOnlyWhereNothingElseIs(t *testing.T) {
	m := &Mirror{Ownership: provision.Ownership{Lab: "x", Owner: "ann"}}
	if open := m.hosts(dockerHub, false); strings.Contains(open, "server =") || !strings.Contains(open, `[host."http://labctl-mirror-x:5000"]`) {
		t.Errorf("with Docker Hub in reach:\n%s", open)
	}
	if closed := m.hosts(dockerHub, true); !strings.HasPrefix(closed, `server = "http://labctl-mirror-x:5000"`) || strings.Contains(closed, "push") {
		t.Errorf("without Docker Hub:\n%s", closed)
	}
}

// TestOtherRegistriesAreServedByTheirPrefix pins what containerd 1.6 and 2 read: override_path keeps them from
// adding /v2 themselves, for the server as for the host.
func TestOtherRegistriesAreServedByTheirPrefix(t *testing.T) {
	m := &Mirror{Ownership: provision.Ownership{Lab: "x", Owner: "ann"}}
	want := `server = "http://labctl-mirror-x:5000/v2/quay.io"
override_path = true
[host."http://labctl-mirror-x:5000/v2/quay.io"]
  capabilities = ["pull", "resolve"]
  override_path = true
`
	if got := m.hosts("quay.io", true); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestOwnersHaveCachesOfTheirOwn(t *testing.T) {
	a, b := &Mirror{Ownership: provision.Ownership{Owner: "ann"}}, &Mirror{Ownership: provision.Ownership{Owner: "bob"}}
	if a.volume() == b.volume() {
		t.Errorf("both use %s", a.volume())
	}
}
