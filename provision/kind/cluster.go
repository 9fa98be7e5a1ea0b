// Package kind is a Kubernetes cluster on a Docker engine as a resource. kind's library makes the
// nodes, in a child process whose `docker` is labctl itself; everything after that (marks, repair,
// readiness, removal) is done here.
package kind

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

// labelKindCluster is the label that kind puts on its node containers.
const labelKindCluster = "io.x-k8s.kind.cluster"

// Cluster is the resource "cluster.kind.NAME". Client may be called concurrently with Apply; the
// other methods one at a time.
type Cluster struct {
	Spec      *labfile.Cluster
	Ownership provision.Ownership
	Engine    *docker.Engine
	Host      provision.Resource // what must be there first: the engine
	// CheckRoom is run before the first node is made, with the node image; "" where that has to be pulled first.
	CheckRoom func(ctx context.Context, image string) error

	Home   string // labctl's home directory
	Files  *state.Lab
	State  *state.State // Cluster is read and updated; saved through Files
	Binary string       // labctl's own executable
	Docker string       // path of the real docker command
	Env    []string     // environment for kind
	Lock   *state.Lock  // held by the child as well, as long as it lives; nil for read-only use
	// Seen are the cluster's containers where the caller has just looked; Destroy then need not. Nil else.
	Seen []docker.Container
	// Recreate: a complete cluster that cannot be repaired may be replaced.
	Recreate bool
	// Restarted: the nodes were started again just now, by whomever, as an engine does with its containers
	// when its host boots. What looks ready may be old news, so it is not believed before Apply has waited
	// for the new.
	Restarted bool
	// Dial reaches addresses as the engine's host sees them, for an engine on another host; nil: this
	// machine's. The commands of kind's child then go through Engine.Runner too.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// NoProxy are more names that the nodes reach without a proxy: the mirror's.
	NoProxy []string
	// OnRequest, where set, hears of every request to the API.
	OnRequest func(method, path string)

	image image // resolved by Preflight

	mu      sync.Mutex
	client  *kube.Client
	version string
}

// Addr implements provision.Resource.
func (c *Cluster) Addr() string { return "cluster." + c.Spec.Type + "." + c.Spec.Name }

// Needs implements provision.Resource.
func (c *Cluster) Needs() []provision.Need {
	if c.Host == nil {
		return nil // known by its marks alone, to be destroyed
	}
	return []provision.Need{{Resource: c.Host, Milestone: provision.MilestoneEngine}}
}

// Summary implements provision.Summarizer.
func (c *Cluster) Summary() string {
	return fmt.Sprintf("%s ready, Kubernetes %s", count.Of(len(c.Spec.Nodes), "node"), c.version)
}

// NodeNames returns the names of the cluster's node containers, as kind forms them: the cluster's
// name and the role, numbered from the second of a role on.
func (c *Cluster) NodeNames() []string {
	count := map[string]int{}
	var names []string
	for _, n := range c.Spec.Nodes {
		count[n.Role]++
		name := c.Spec.Name + "-" + n.Role
		if count[n.Role] > 1 {
			name += fmt.Sprint(count[n.Role])
		}
		names = append(names, name)
	}
	return names
}

// ControlPlane returns the name of the control-plane node's container.
func (c *Cluster) ControlPlane() string { return c.Spec.Name + "-control-plane" }

// nodes lists the cluster's node containers and refuses when one of them is not ours.
func (c *Cluster) nodes(ctx context.Context) ([]docker.Container, error) {
	all, err := c.Engine.Containers(ctx, labelKindCluster+"="+c.Spec.Name)
	if err != nil {
		return nil, unreachable(err)
	}
	for _, n := range all {
		if !c.Ownership.On(n.Labels) {
			return nil, c.foreign(n)
		}
	}
	slices.SortFunc(all, func(a, b docker.Container) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

func (c *Cluster) foreign(n docker.Container) error {
	whose := "was not made by labctl"
	if lab := n.Labels[provision.LabelLab]; lab != "" {
		whose = fmt.Sprintf("belongs to lab %s of %s", lab, n.Labels[provision.LabelOwner])
	}
	return clierr.New(clierr.Refused, "container %s exists and %s; it is left alone", n.Name, whose).
		WithNext("Give this lab a name of its own (`--name NAME` makes the cluster %s-NAME), or remove that container yourself.", c.Spec.Name)
}

// unreachable gives an engine that does not answer its class and cure.
func unreachable(err error) error {
	return clierr.New(clierr.Unknown, "%w", err).WithNext("Start the Docker engine and run the same command again.")
}

// Client returns a client of the cluster's API. Before the API milestone it fails; for a cluster
// that is up it works at once, also when the lab's kubeconfig is gone.
func (c *Cluster) Client(ctx context.Context) (*kube.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.client != nil {
		return c.client, nil
	}
	access, err := c.fileAccess()
	if err == nil {
		return c.connect(access)
	}
	raw, err := c.fetchKubeconfig(ctx, false)
	if err != nil {
		return nil, err
	}
	if err := c.Files.WriteFile(state.KubeconfigFile, raw); err != nil {
		return nil, err
	}
	if access, err = kube.ReadAccess(raw, c.ContextName()); err != nil {
		return nil, err
	}
	return c.connect(access)
}

// Access returns how the API server is reached, as the lab's kubeconfig says after Client has succeeded.
func (c *Cluster) Access() (kube.Access, error) { return c.fileAccess() }

// connect makes the client; the caller holds c.mu.
func (c *Cluster) connect(access kube.Access) (*kube.Client, error) {
	client, err := access.Client(kube.Options{OnRequest: c.OnRequest, Dial: c.DialAPI})
	if err != nil {
		return nil, err
	}
	c.client = client
	return client, nil
}

// forget drops the client, since addresses and certificates of a new cluster are new.
func (c *Cluster) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.client = nil
}
