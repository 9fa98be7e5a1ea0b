package kind

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"context"

	"github.com/labctl/labctl/internal/docker"
)

func TestWhatNodesAreToldOfProxies(t *testing.T) {
	const company, engines = "http://proxy.corp:3128", "http://engine.corp:1"
	for name, c := range map[string]struct {
		env, settings, engine string
		remote                bool
		want, withheld        string
	}{
		"none":                    {},
		"the environment's":       {env: "https_proxy=" + company, want: company},
		"docker's settings":       {settings: company, want: company},
		"the engine's own":        {engine: engines, want: engines},
		"the environment's first": {env: "HTTPS_PROXY=" + company, settings: "http://other:1", engine: engines, want: company},
		"one with a password":     {env: "HTTPS_PROXY=http://ann:geheim@proxy.corp:3128", withheld: "password"},
		"docker's with one":       {settings: "http://ann:geheim@proxy.corp:3128", withheld: "password"},
		"one of this machine":     {env: "HTTPS_PROXY=localhost:3128", withheld: "loopback"},
		"another machine's nodes": {env: "HTTPS_PROXY=" + company, settings: company, engine: engines, remote: true},
	} {
		home := t.TempDir()
		if c.settings != "" {
			if err := os.Mkdir(filepath.Join(home, ".docker"), 0o700); err != nil {
				t.Fatal(err)
			}
			text := `{"proxies":{"default":{"httpsProxy":"` + c.settings + `"}}}`
			if err := os.WriteFile(filepath.Join(home, ".docker", "config.json"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cluster := &Cluster{Env: []string{"HOME=" + home, c.env}, Engine: store(""), NoProxy: []string{"labctl-mirror-x"}}
		if c.remote {
			cluster.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("not called") }
		}
		told, withheld, configured := cluster.nodeProxy(t.Context(), docker.Info{HTTPSProxy: c.engine})
		if told.HTTPS != c.want || !strings.Contains(withheld, c.withheld) || (withheld != "") != (c.withheld != "") {
			t.Errorf("%s: told %q, withheld %q", name, told.HTTPS, withheld)
		}
		if told.set() && !strings.Contains(","+told.No+",", ",labctl-mirror-x,") {
			t.Errorf("%s: the nodes ask the proxy for the mirror: NO_PROXY=%s", name, told.No)
		}
		if want := !c.remote && (c.env != "" || c.settings != ""); configured != want {
			t.Errorf("%s: configured: %t", name, configured)
		}
		for _, kv := range told.environ(cluster.Env) {
			if strings.Contains(kv, "geheim") {
				t.Errorf("%s: kind is told %s", name, kv)
			}
		}
	}
}

func TestTheShimSaysWhatANodeIsTold(t *testing.T) {
	kinds := strings.Fields("run --name n -e http_proxy=http://ann:geheim@p -e NO_PROXY=a -e container=docker image")
	none := (&DockerShim{Proxies: noProxies}).mark(kinds)
	if text := strings.Join(none, " "); strings.Contains(text, "geheim") || !strings.Contains(text, "-e HTTP_PROXY= ") || !strings.Contains(text, "-e container=docker") {
		t.Errorf("none: %q", none)
	}
	kept := (&DockerShim{Proxies: proxiesOfKind}).mark(kinds)
	if !slices.Contains(kept, "NO_PROXY=a") || slices.Contains(kept, "NO_PROXY=") || !slices.Contains(kept, "https_proxy=") {
		t.Errorf("kind's: %q", kept)
	}
	if as := (&DockerShim{}).mark(kinds); len(as) != len(kinds) {
		t.Errorf("without proxies: %q", as)
	}
}
