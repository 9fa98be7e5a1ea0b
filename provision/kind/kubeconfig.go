package kind

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/state"
)

// adminConf is where kubeadm leaves the administrator's kubeconfig on a control-plane node.
const adminConf = "/etc/kubernetes/admin.conf"

// fetchKubeconfig reads the administrator's kubeconfig off the control-plane node and points it at
// the port that the engine publishes on loopback. With wait, it waits in the node until kubeadm has
// written the file whole; the caller's ctx bounds that here, and in the node a time of its own.
func (c *Cluster) fetchKubeconfig(ctx context.Context, wait bool) ([]byte, error) {
	node := c.ControlPlane()
	if wait {
		// client-key-data is the last line that kubeadm writes.
		script := fmt.Sprintf("timeout %d sh -c 'until grep -qs client-key-data %s; do sleep 0.1; done'", int(createTimeout.Seconds()), adminConf)
		err := c.Engine.Runner.Run(ctx, command.Command{Argv: []string{"docker", "exec", node, "sh", "-c", script}})
		if err != nil {
			return nil, fmt.Errorf("waiting for the kubeconfig of %s: %w", node, err)
		}
	}
	admin, err := c.Engine.Output(ctx, "exec", node, "cat", adminConf)
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig of %s: %w", node, err)
	}
	published, err := c.Engine.Output(ctx, "port", node, "6443/tcp")
	if err != nil {
		return nil, fmt.Errorf("finding the API server's port: %w", err)
	}
	server, err := serverAt(published)
	if err != nil {
		return nil, err
	}
	return ownKubeconfig([]byte(admin), server, c.ContextName())
}

// ContextName is what cluster, user and context are called in the lab's kubeconfig: as the kind CLI does,
// so that the course's notes match what a learner sees.
func (c *Cluster) ContextName() string { return "kind-" + c.Spec.Name }

// serverAt is the API server's URL, of the address at which `docker port` says that it is published.
func serverAt(published string) (string, error) {
	address, _, _ := strings.Cut(strings.TrimSpace(published), "\n")
	if _, err := netip.ParseAddrPort(address); err != nil {
		return "", clierr.New(clierr.Inconclusive, "finding the API server's port: docker port printed %q: %w", published, err)
	}
	return "https://" + address, nil
}

// ownKubeconfig makes the lab's kubeconfig out of the certificates and the key of the node's, and of
// nothing else in it: a node is a machine on which learners are root.
func ownKubeconfig(admin []byte, server, name string) ([]byte, error) {
	access, err := kube.ReadAccess(admin, "")
	if err != nil {
		return nil, clierr.New(clierr.Inconclusive, "the control-plane node's %s: %w", adminConf, err).
			WithNext("Whoever is root on the node may have changed it. `labctl down`, then `labctl up`, makes the cluster anew; what was done in it is lost.")
	}
	access.Server = server
	return access.Kubeconfig(name)
}

// fileAccess reads what labctl itself wrote into the lab's kubeconfig. An error means that it has to be
// written anew: also when there is more in it than labctl writes today.
func (c *Cluster) fileAccess() (kube.Access, error) {
	raw, err := os.ReadFile(c.Files.Path(state.KubeconfigFile))
	if err != nil {
		return kube.Access{}, err
	}
	access, err := kube.ReadAccess(raw, c.ContextName())
	switch {
	case err != nil:
		return kube.Access{}, err
	case len(access.Ignored) > 0 || access.Server == "":
		return kube.Access{}, fmt.Errorf("the lab's kubeconfig holds what labctl did not write: server, %s", strings.Join(access.Ignored, ", "))
	}
	return access, nil
}
