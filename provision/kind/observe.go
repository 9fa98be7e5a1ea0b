package kind

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// probeTimeout bounds one question to an API server that may be down or hanging.
const probeTimeout = 5 * time.Second

// takenTimeout is probeTimeout where a scenario has done something to the API server, which most likely does not answer.
const takenTimeout = time.Second

// condition is what Observe found, in the terms in which Apply decides.
type condition struct {
	provision.Observation
	containers []docker.Container
	stopped    []docker.Container
	missing    []string
	remedy     remedy
}

// remedy is what brings a cluster back to its declaration.
type remedy int

const (
	nothing  remedy = iota
	create          // there is nothing yet
	recreate        // an interrupted creation: nothing of anybody's is in it
	start           // containers are stopped
	await           // it is coming up
	replace         // complete once, and beyond repair or not as declared; somebody's work is in it
)

// Observe implements provision.Resource.
func (c *Cluster) Observe(ctx context.Context) (provision.Observation, error) {
	seen, err := c.inspect(ctx)
	return seen.Observation, err
}

func (c *Cluster) inspect(ctx context.Context) (condition, error) {
	containers, err := c.nodes(ctx)
	if err != nil {
		return condition{}, err
	}
	seen := condition{containers: containers}
	seen.note(c.NodeNames())
	declared := len(c.Spec.Nodes)
	switch {
	case len(containers) == 0:
		seen.Observation = provision.Observation{
			State:  provision.Absent,
			Reason: "no node container of " + c.Spec.Name + " exists",
			Action: fmt.Sprintf("create a cluster of %s, Kubernetes %s%s", count.Of(declared, "node"), c.Spec.Kubernetes, c.describeImage(ctx)),
		}
		seen.remedy = create
	case c.interrupted():
		// Whatever runs of it: nobody can tell which of kind's steps it lacks, and nobody has worked in it.
		seen.broken(fmt.Sprintf("%d of %s, and kind had not finished", len(containers), count.Do(declared, "node container", "exists", "exist")), false)
	case len(seen.missing) > 0 || len(containers) > declared:
		what := fmt.Sprintf("%s, declared: %d", count.Do(len(containers), "node container", "exists", "exist"), declared)
		if len(seen.missing) > 0 {
			what += "; " + strings.Join(seen.missing, ", ") + " missing"
		}
		seen.broken(what, true)
	case len(seen.stopped) > 0:
		seen.Observation = provision.Observation{
			State:  provision.Partial,
			Reason: fmt.Sprintf("%d of %s; %s", declared-len(seen.stopped), count.Do(declared, "node", "runs", "run"), names(seen.stopped)+" stopped"),
			Action: "start " + names(seen.stopped),
			Next:   "`labctl start` brings it back.",
		}
		seen.remedy = start
	default:
		c.lookInside(ctx, &seen)
	}
	for _, n := range containers {
		seen.Evidence = append(seen.Evidence, fmt.Sprintf("container %s: %s", n.Name, n.State))
	}
	return seen, nil
}

// note sorts the containers into what is missing and what is stopped.
func (s *condition) note(declared []string) {
	for _, name := range declared {
		i := slices.IndexFunc(s.containers, func(n docker.Container) bool { return n.Name == name })
		switch {
		case i < 0:
			s.missing = append(s.missing, name)
		case s.containers[i].State != "running":
			s.stopped = append(s.stopped, s.containers[i])
		}
	}
}

// broken is a cluster that cannot be brought back piece by piece: kind cannot take a node back.
func (s *condition) broken(what string, complete bool) {
	if complete {
		s.Observation = provision.Observation{State: provision.Drifted, Reason: what, Action: "replace the cluster (only with --recreate: what was done in it is lost)"}
		s.remedy = replace
		return
	}
	s.Observation = provision.Observation{State: provision.Partial, Reason: "its creation was interrupted: " + what, Action: "remove what there is and create it"}
	s.remedy = recreate
}

// interrupted tells that the lab's own state knows of a creation that never ended. A state that is
// lost says nothing, and then nothing is thrown away.
func (c *Cluster) interrupted() bool {
	return c.State.Cluster.Name == c.Spec.Name && !c.State.Cluster.Created
}

// lookInside asks the API of a cluster whose containers all run.
func (c *Cluster) lookInside(ctx context.Context, seen *condition) {
	within := probeTimeout
	taken := c.takenAway(ctx)
	if takenAPI(taken) != nil {
		within = takenTimeout
	}
	look, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	health, err := c.health(look)
	switch {
	case err != nil && takenAPI(taken) != nil:
		seen.Observation = provision.Observation{State: provision.Current, Reason: "the API server does not answer: " + takenAPI(taken).String()}
	case err != nil:
		seen.Observation = provision.Observation{State: provision.Partial, Reason: "the API does not answer: " + why(err), Action: "wait for the API server, and restart the control plane if it stays away", Next: c.waitForIt(), Unsure: true}
		seen.remedy = await
	case !health.Ready && health.because(taken):
		c.version = health.Version
		seen.Observation = provision.Observation{State: provision.Current, Reason: fmt.Sprintf("%s (%s)", health.Reason, sayTaken(taken))}
	case !health.Ready:
		seen.Observation = provision.Observation{State: provision.Partial, Reason: health.Reason, Action: "wait until all nodes and CoreDNS are ready"}
		seen.remedy = await
	case c.Spec.Image == "" && !fits(health.Version, c.Spec.Kubernetes):
		seen.broken(fmt.Sprintf("it runs Kubernetes %s, %s is declared", health.Version, c.Spec.Kubernetes), true)
	case c.Restarted:
		seen.Observation = provision.Observation{State: provision.Partial, Reason: "its nodes were started just now", Action: "wait until they report again"}
		seen.remedy = await
	default:
		c.version = health.Version
		seen.Observation = provision.Observation{State: provision.Current, Reason: c.Summary()}
	}
}

// describeImage says for `labctl plan` which node image would be taken, and why; "" when it cannot be told.
func (c *Cluster) describeImage(ctx context.Context) string {
	found, err := resolveImage(ctx, c.Engine, c.Spec.Image, c.Spec.Kubernetes)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(", from %s (%s)", found.name, found.why)
}

func names(containers []docker.Container) string {
	var all []string
	for _, n := range containers {
		all = append(all, n.Name)
	}
	return strings.Join(all, ", ")
}

// errReplace is returned where only replacing the cluster would help.
var errReplace = errors.New("the cluster is not as declared and cannot be repaired")

// health is what the API says of a cluster at one moment.
type health struct {
	Nodes int  // nodes that have joined
	Ready bool // all of them and CoreDNS are ready
	// Waiting are the declared nodes that are not Ready; Short: something else is not as it should be than these, and than
	// CoreDNS, which may have been on them.
	Waiting []string
	Short   bool
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
			h.Waiting = append(h.Waiting, name)
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
		h.Ready, h.Short = false, true
	}
	return h, nil
}
