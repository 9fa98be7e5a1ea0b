package kind

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/docker/dockertest"
	"github.com/labctl/labctl/internal/kube/kubetest"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

const evil = ", exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/evil, interactiveMode: Never}, tokenFile: /etc/passwd"

// clusterOf is a cluster whose control-plane node has this admin.conf; its API server is published at 127.0.0.1:1234.
func clusterOf(t *testing.T, conf string) *Cluster {
	t.Helper()
	d := dockertest.New()
	d.Add(dockertest.Container{Name: "c-control-plane", Files: map[string]string{adminConf: conf}, Published: "127.0.0.1:1234"})
	files := state.Home{Dir: t.TempDir(), Now: time.Now}.Lab("a")
	return &Cluster{
		Spec: &labfile.Cluster{Type: "kind", Name: "c", Nodes: nodes("control-plane")}, Ownership: provision.Ownership{Lab: "a", Owner: "o"},
		Engine: &docker.Engine{Runner: d}, Files: files, State: &state.State{Lab: "a"},
	}
}

func (c *Cluster) kept(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile(c.Files.Path(state.KubeconfigFile))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestNothingOfANodesKubeconfigRunsHere(t *testing.T) {
	admin := kubetest.NewAdmin(t)
	c := clusterOf(t, admin.Conf("https://c-control-plane:6443", ", proxy-url: http://evil:1", evil))
	if _, err := c.Client(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := c.kept(t)
	for _, want := range []string{"server: https://127.0.0.1:1234", "certificate-authority-data: " + admin.CA, "client-key-data: " + admin.Key, "current-context: kind-c", "cluster: kind-c"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	for _, never := range []string{"evil", "exec", "tokenFile", "/etc/passwd", "proxy"} {
		if strings.Contains(got, never) {
			t.Errorf("%q got through:\n%s", never, got)
		}
	}
}

// A file that an older labctl wrote as the node said it is written anew; one that a learner has added to is
// not.
func TestTheLabsKubeconfigIsHeldToTheSame(t *testing.T) {
	admin := kubetest.NewAdmin(t)
	named := strings.NewReplacer("kubernetes-admin", "kind-c", "kubernetes", "kind-c")
	for name, text := range map[string]string{
		"runs a program": named.Replace(admin.Conf("https://127.0.0.1:1234", "", evil)),
		"unknown field":  named.Replace(admin.Conf("https://127.0.0.1:1234", ", run: /bin/evil", "")),
		"no cluster":     "current-context: kind-c\ncontexts: [{name: kind-c, context: {cluster: kind-c, user: kind-c}}]\nclusters: [{name: kind-c}]\nusers: [{name: kind-c}]\n",
		"no server":      named.Replace(admin.Conf("", "", "")),
		"damaged":        "{",
	} {
		c := clusterOf(t, admin.Conf("https://c-control-plane:6443", "", ""))
		if err := c.Files.WriteFile(state.KubeconfigFile, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Client(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := c.kept(t); strings.Contains(got, "evil") || !strings.Contains(got, "server: https://127.0.0.1:1234") {
			t.Errorf("%s: kept\n%s", name, got)
		}
	}
	c := clusterOf(t, "")
	own := strings.Replace(named.Replace(admin.Conf("https://127.0.0.1:1234", "", "")), "users: [", "users: [{name: jane, user: {token: abc}}, ", 1)
	if err := c.Files.WriteFile(state.KubeconfigFile, []byte(own)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Client(t.Context()); err != nil || c.kept(t) != own {
		t.Errorf("%v; what the learner has added is now\n%s", err, c.kept(t))
	}
}

func TestWhereTheServerIs(t *testing.T) {
	for published, want := range map[string]string{
		"127.0.0.1:1234\n": "https://127.0.0.1:1234", "127.0.0.1:1\n[::1]:1\n": "https://127.0.0.1:1", "[::1]:1": "https://[::1]:1",
		"": "", "evil.example:443": "", "1.2.3.4": "", "1.2.3.4:1/x": "", "1.2.3.4:99999": "",
	} {
		if got, err := serverAt(published); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", published, got, err)
		}
	}
}
