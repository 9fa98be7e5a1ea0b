package kind

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/docker/dockertest"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/kube/kubetest"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

// bench is the cluster c of the lab a of ann, of a control plane and a worker, which run since an hour ago and are
// healthy.
type bench struct {
	*dockertest.Engine
	*Cluster
	api *kubetest.Server
	t   *testing.T
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{Engine: dockertest.New(), api: kubetest.NewTLS(t), t: t}
	files := state.Home{Dir: t.TempDir(), Now: time.Now}.Lab("a")
	journal, err := files.OpenJournal()
	if err != nil {
		t.Fatal(err)
	}
	b.Cluster = &Cluster{
		Spec:      &labfile.Cluster{Type: "kind", Name: "c", Kubernetes: "1.35", Nodes: nodes("control-plane", "worker")},
		Ownership: provision.Ownership{Lab: "a", Owner: "ann"}, Files: files,
		Engine: &docker.Engine{Runner: b.Engine, Journal: journal},
		State:  &state.State{Lab: "a", Cluster: state.ClusterState{Name: "c", Created: true}},
	}
	conf := b.api.Kubeconfig(t, "kind-c")
	access, err := kube.ReadAccess(conf, "")
	if err != nil {
		t.Fatal(err)
	}
	published := strings.TrimPrefix(access.Server, "https://")
	for name, address := range map[string]string{"c-control-plane": "172.18.0.2", "c-worker": "172.18.0.3"} {
		b.add(name, "running", func(c *dockertest.Container) {
			c.Address, c.Published, c.Files = address, published, map[string]string{adminConf: string(conf)}
		})
		b.node(name, "True", "v1.35.4")
		b.put("leases", `{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":%q,"namespace":"kube-node-lease"},"spec":{"renewTime":%q}}`,
			name, time.Now().Format("2006-01-02T15:04:05.000000Z07:00"))
	}
	b.put("deployments", `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"coredns","namespace":"kube-system"},"status":{"conditions":[{"type":"Available","status":"True"}]}}`)
	b.put("serviceaccounts", `{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default","namespace":"default"}}`)
	return b
}

// add adds a node container of the lab, or replaces the one of its name.
func (b *bench) add(name, state string, change func(*dockertest.Container)) {
	c := dockertest.Container{
		Name: name, State: state, Network: Network, Started: time.Now().Add(-time.Hour), Volumes: []string{name + "-var"},
		Labels: map[string]string{labelKindCluster: "c", provision.LabelLab: "a", provision.LabelOwner: "ann", provision.LabelCluster: "c"},
	}
	if change != nil {
		change(&c)
	}
	b.AddVolume(name+"-var", dockertest.Volume{Anonymous: true, Labels: c.Labels})
	b.Add(c)
}

func (b *bench) put(resource, text string, args ...any) {
	b.api.Put(resource, object(b.t, fmt.Sprintf(text, args...)))
}

func (b *bench) node(name, ready, version string) {
	b.put("nodes", `{"apiVersion":"v1","kind":"Node","metadata":{"name":%q},"status":{"nodeInfo":{"kubeletVersion":%q},"conditions":[{"type":"Ready","status":%q}]}}`, name, version, ready)
}

// changes are the docker commands so far that change something.
func (b *bench) changes() []string {
	return slices.Concat(b.Ran("run"), b.Ran("start"), b.Ran("stop"), b.Ran("rm"), b.Ran("volume rm"), b.Ran("pull"))
}
