package kind

import (
	"context"
	"fmt"
	"net"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/untrusted"
)

// adminConf is where kubeadm leaves the administrator's kubeconfig on a control-plane node.
const adminConf = "/etc/kubernetes/admin.conf"

// fetchKubeconfig reads the administrator's kubeconfig off the control-plane node and points it at
// the port that the engine publishes on loopback. With wait, it waits in the node until kubeadm has
// written the file whole; the caller's ctx bounds that.
func (c *Cluster) fetchKubeconfig(ctx context.Context, wait bool) ([]byte, error) {
	node := c.ControlPlane()
	script := "cat " + adminConf
	if wait {
		// client-key-data is the last line that kubeadm writes.
		script = "until grep -qs client-key-data " + adminConf + "; do sleep 0.1; done; " + script
	}
	out := untrusted.NewBuffer(1<<20, adminConf+" of "+node)
	err := c.Engine.Runner.Run(ctx, docker.Command{Argv: []string{"docker", "exec", node, "sh", "-c", script}, Stdout: out})
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig of %s: %w", node, err)
	}
	published, err := c.Engine.Output(ctx, "port", node, "6443/tcp")
	if err != nil {
		return nil, fmt.Errorf("finding the API server's port: %w", err)
	}
	address, _, _ := strings.Cut(strings.TrimSpace(published), "\n")
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, fmt.Errorf("finding the API server's port: docker port printed %q: %w", published, err)
	}
	return rewriteKubeconfig(out.Bytes(), "https://"+address, "kind-"+c.Spec.Name)
}

// rewriteKubeconfig sets the server and names cluster, user and context as the kind CLI does, so
// that the course's notes match what a learner sees.
func rewriteKubeconfig(raw []byte, server, name string) ([]byte, error) {
	var conf struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Clusters   []struct {
			Name    string         `json:"name"`
			Cluster map[string]any `json:"cluster"`
		} `json:"clusters"`
		Users []struct {
			Name string         `json:"name"`
			User map[string]any `json:"user"`
		} `json:"users"`
		Contexts []struct {
			Name    string         `json:"name"`
			Context map[string]any `json:"context"`
		} `json:"contexts"`
		CurrentContext string `json:"current-context"`
	}
	if err := yaml.Unmarshal(raw, &conf); err != nil {
		return nil, fmt.Errorf("reading the node's kubeconfig: %w", err)
	}
	if len(conf.Clusters) != 1 || len(conf.Users) != 1 || len(conf.Contexts) != 1 {
		return nil, fmt.Errorf("reading the node's kubeconfig: %d clusters, %d users and %d contexts, one of each expected",
			len(conf.Clusters), len(conf.Users), len(conf.Contexts))
	}
	conf.Clusters[0].Name = name
	conf.Clusters[0].Cluster["server"] = server
	conf.Users[0].Name = name
	conf.Contexts[0].Name = name
	conf.Contexts[0].Context = map[string]any{"cluster": name, "user": name}
	conf.CurrentContext = name
	return yaml.Marshal(conf)
}
