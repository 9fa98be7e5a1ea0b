package mirror

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/labctl/labctl/internal/state"
)

// hostsDir is where containerd looks for the mirrors of registries, each in a directory of its host's name. It reads
// them at every pull, so nothing has to be restarted.
// https://github.com/containerd/containerd/blob/main/docs/hosts.md
const hostsDir = "/etc/containerd/certs.d/"

func hostsFile(registry string) string { return hostsDir + registry + "/hosts.toml" }

// hosts is what containerd is told of a registry.
func (m *Mirror) hosts(registry string, closed bool) string {
	url, override := "http://"+m.container()+":"+port, ""
	if registry != dockerHub {
		// One registry serves several by the beginnings of its repositories' names.
		url, override = url+"/v2/"+prefix(registry), "  override_path = true\n"
	}
	text := fmt.Sprintf("[host.%q]\n  capabilities = [\"pull\", \"resolve\"]\n%s", url, override)
	if closed {
		// Without a server, containerd falls back to the registry; where that cannot be reached, every
		// missing image would read "no such host" instead of "not found".
		text = fmt.Sprintf("server = %q\n%s\n", url, strings.TrimSpace(override)) + text
	}
	return text
}

// closed tells for each registry whether it is out of the nodes' reach: always where substitute images are in use, else
// when it does not answer. That its name resolves says nothing behind a company's proxy.
func (m *Mirror) closed(ctx context.Context) map[string]bool {
	closed, all := map[string]bool{}, registries(m.Images)
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, registry := range all {
		closed[registry] = len(m.substituteImages) > 0 || isLocal(registry)
		if closed[registry] {
			continue
		}
		host := registry
		if host == dockerHub {
			host = "registry-1.docker.io"
		}
		wg.Go(func() {
			_, errs[i] = m.Engine.Output(ctx, "exec", m.Cluster.NodeNames()[0], "curl", "--silent", "--output", "/dev/null", "--max-time", "3", "https://"+host+"/v2/")
		})
	}
	wg.Wait()
	for i, registry := range all {
		closed[registry] = closed[registry] || errs[i] != nil
	}
	return closed
}

// readHosts reads what every node's containerd is told of the registries; what cannot be read is empty.
func (m *Mirror) readHosts(ctx context.Context) map[string]string {
	nodes := m.Cluster.NodeNames()
	texts := make([]string, len(nodes))
	var files []string
	for _, registry := range registries(m.Images) {
		files = append(files, hostsFile(registry))
	}
	var wg sync.WaitGroup
	for i, node := range nodes {
		wg.Go(func() { texts[i], _ = m.Engine.Output(ctx, append([]string{"exec", node, "cat"}, files...)...) })
	}
	wg.Wait()
	have := map[string]string{}
	for i, node := range nodes {
		have[node] = texts[i]
	}
	return have
}

// wanted is what readHosts should find.
func (m *Mirror) wanted(closed map[string]bool) string {
	text := ""
	for _, registry := range registries(m.Images) {
		text += m.hosts(registry, closed[registry])
	}
	return text
}

// announce tells the nodes' containerd of the mirror.
func (m *Mirror) announce(ctx context.Context, closed map[string]bool) error {
	have, want := m.readHosts(ctx), m.wanted(closed)
	const script = `mkdir -p "${1%/*}" && cat >"$1.tmp" && mv "$1.tmp" "$1"`
	nodes := m.Cluster.NodeNames()
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, node := range nodes {
		if have[node] == want {
			continue
		}
		wg.Go(func() {
			for _, registry := range registries(m.Images) {
				file := hostsFile(registry)
				_, err := m.Engine.Change(ctx, state.Act{Verb: "docker exec", Object: node, Addr: m.Addr(), Detail: "write " + file},
					strings.NewReader(m.hosts(registry, closed[registry])), "exec", "-i", node, "sh", "-c", script, "sh", file)
				if err != nil {
					errs[i] = err
					return
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("telling the nodes of the mirror: %w", err)
		}
	}
	return nil
}
