package kind

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/state"
)

// health is what the API says of a cluster at one moment.
type health struct {
	Nodes   int    // nodes that have joined
	Ready   bool   // all of them and CoreDNS are ready
	Reason  string // what is not ready
	Version string // of the control plane's kubelet: "1.35.4"
}

// health asks once; it does not wait.
func (c *Cluster) health(ctx context.Context) (health, error) {
	client, err := c.Client(ctx)
	if err != nil {
		return health{}, err
	}
	nodes, err := client.List(ctx, kube.Query{Kind: "Node"})
	if err != nil {
		return health{}, err
	}
	dns, err := client.List(ctx, kube.Query{Kind: "Deployment", Namespace: "kube-system", Name: "coredns"})
	if err != nil {
		return health{}, err
	}
	h := health{Nodes: len(nodes)}
	var waiting []string
	ready := kube.NodesReady(nodes)
	for _, name := range c.NodeNames() {
		if !slices.Contains(ready, name) {
			waiting = append(waiting, "node "+name+" is not Ready")
		}
	}
	if len(dns) == 0 {
		waiting = append(waiting, "CoreDNS is not there")
	} else if status, _ := kube.Status(dns[0], "Available"); status != "True" {
		waiting = append(waiting, "CoreDNS is not available")
	}
	for _, n := range nodes {
		if n.GetName() == c.ControlPlane() {
			kubelet, _, _ := unstructured.NestedString(n.Object, "status", "nodeInfo", "kubeletVersion")
			if version := strings.TrimPrefix(kubelet, "v"); state.IsKubernetesVersion(version) {
				h.Version = version
			}
		}
	}
	h.Ready, h.Reason = len(waiting) == 0, strings.Join(waiting, "; ")
	if h.Ready && len(nodes) != len(c.Spec.Nodes) {
		h.Reason = fmt.Sprintf("%s, declared: %d", count.Do(len(nodes), "node", "has joined", "have joined"), len(c.Spec.Nodes))
		h.Ready = false
	}
	return h, nil
}
