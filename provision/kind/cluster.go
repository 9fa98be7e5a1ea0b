// Package kind is a Kubernetes cluster on a Docker engine as a resource. kind's library makes the
// nodes, in a child process whose `docker` is labctl itself; everything after that (marks, repair,
// readiness, removal) is done here.
package kind

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
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
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
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
	// Taken, where set, tells what scenarios have taken away of the cluster; it needs no API server. It may be called by
	// several goroutines.
	Taken func(context.Context) []Taken
	// OnRequest, where set, hears of every request to the API.
	OnRequest func(*http.Request)

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
	return clierr.New(clierr.Inconclusive, "%w", err).WithNext("Start the Docker engine and run the same command again.")
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

// kindConfig translates a lab's cluster into kind's own configuration.
func kindConfig(spec *labfile.Cluster, apiPort int, cgroupVersion, kubernetes, image string) (*v1alpha4.Cluster, error) {
	config := &v1alpha4.Cluster{
		TypeMeta: v1alpha4.TypeMeta{Kind: "Cluster", APIVersion: "kind.x-k8s.io/v1alpha4"},
		Name:     spec.Name,
		Networking: v1alpha4.Networking{
			APIServerAddress: "127.0.0.1", // never on an address that others reach
			APIServerPort:    int32(apiPort),
		},
	}
	for _, n := range spec.Nodes {
		config.Nodes = append(config.Nodes, v1alpha4.Node{Role: v1alpha4.NodeRole(n.Role), Labels: n.Labels, Image: image})
	}
	kubelet := map[string]any{}
	maps.Copy(kubelet, spec.Kubelet)
	// The kubelet refuses to start on cgroup v1 from 1.35 on unless told otherwise
	// (KubeletConfiguration.failCgroupV1). What counts is the engine's kernel, not this machine's.
	if cgroupVersion == "1" && !newer("1.35", kubernetes) {
		if _, set := kubelet["failCgroupV1"]; !set {
			kubelet["failCgroupV1"] = false
		}
	}
	if len(kubelet) > 0 {
		kubelet["kind"] = "KubeletConfiguration"
		kubelet["apiVersion"] = "kubelet.config.k8s.io/v1beta1"
		patch, err := json.Marshal(kubelet) // JSON is YAML, and has no indentation to get wrong
		if err != nil {
			return nil, fmt.Errorf("writing the kubelet settings: %w", err)
		}
		config.KubeadmConfigPatches = append(config.KubeadmConfigPatches, string(patch))
	}
	if !listArguments(kubernetes) {
		config.KubeadmConfigPatches = append(config.KubeadmConfigPatches, startFast)
		config.KubeadmConfigPatches = append(config.KubeadmConfigPatches, keepPreviousRun()...)
	}
	return config, nil
}

// listArguments tells whether kind writes kubeadm's v1beta4, from Kubernetes 1.36 on: its extra arguments are
// a list that a merge patch would replace as a whole, kind's own included. There they are left alone.
func listArguments(kubernetes string) bool { return !newer("1.36", kubernetes) }

// startFast takes two waits out of the start of a control plane. The controller manager makes a client and a
// service account for each of its controllers before it starts the first, and its own limit of 20 requests
// a second (--kube-api-qps) makes that last 5 seconds, in which no pod can be made and no node can join. And
// one control plane has nobody to elect: the election only costs its retry period (2 s) at the start, up to
// the lease (15 s) after a restart, and on a busy laptop the process, which exits when it renews too late.
// https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/
const startFast = `{"kind":"ClusterConfiguration",` +
	`"controllerManager":{"extraArgs":{"kube-api-qps":"200","kube-api-burst":"400","leader-elect":"false"}},` +
	`"scheduler":{"extraArgs":{"leader-elect":"false"}}}`

// keepPreviousRun has the kubelets keep two dead instances of a container instead of one, so that
// `kubectl logs --previous` works at every moment of a crash loop. Since Kubernetes 1.35 a pod's status
// stays "Error" for most of the pause between two starts; the previous run is then the one before the
// one that died last, which a kubelet that keeps one has removed ("unable to retrieve container logs").
// It is a flag and no field of the KubeletConfiguration, deprecated, and still there in 1.37.
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/cmd/kubelet/app/options/options.go#L312
func keepPreviousRun() []string {
	const patch = `{"kind":%q,"nodeRegistration":{"kubeletExtraArgs":{"maximum-dead-containers-per-container":"2"}}}`
	return []string{fmt.Sprintf(patch, "InitConfiguration"), fmt.Sprintf(patch, "JoinConfiguration")}
}
