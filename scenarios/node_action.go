package scenarios

import (
	"context"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

// NodeChanger is a Cluster that can change its nodes. It needs no API server for that.
type NodeChanger interface {
	NodeRunner
	// ChangeNode runs a command that changes a node, and returns what it wrote to stdout. It is recorded in the lab's
	// journal before, with the resource's address and what is done in words.
	ChangeNode(ctx context.Context, node, addr, what string, argv ...string) (string, error)
	// NodeName returns the whole name of a node, "my-cluster-worker2", and whether there is such a node.
	NodeName(node string) (string, bool)
}

// nodeFolder is where a node keeps what scenarios have done to it: a folder for each scenario, in that one for each
// target, and beside them the record of a scenario that takes the API server away.
const nodeFolder = "/var/lib/labctl"

//go:embed node.sh
var nodeScript string

var errNoNodes = errors.New("the nodes of this cluster cannot be changed")

func (sc *compiled) addr() string { return "scenario." + sc.s.Name }

// changeNode runs a verb of the node script.
func (sc *compiled) changeNode(ctx context.Context, node, what, verb string, args ...string) (string, error) {
	nodes, is := sc.cluster.(NodeChanger)
	if !is {
		return "", errNoNodes
	}
	out, err := nodes.ChangeNode(ctx, node, sc.addr(), what, append([]string{"sh", "-c", nodeScript, "labctl", verb, sc.s.Name}, args...)...)
	if err != nil {
		err = clierr.New(clierr.Inconclusive, "to %s: %w", what, err).WithNext("%s", clierr.NextOf(err))
	}
	return strings.TrimSpace(out), err
}

// lackingNodes refuses a scenario that works on nodes which the cluster does not have.
func (sc *compiled) lackingNodes() error {
	for _, a := range sc.s.NodeActions() {
		nodes, is := sc.cluster.(NodeChanger)
		if !is {
			return clierr.New(clierr.Refused, "%w", errNoNodes)
		}
		if _, there := nodes.NodeName(a.Node); !there {
			return clierr.New(clierr.Refused, "scenario %s works on the node %s, which the cluster does not have", sc.s.Name, a.Node).
				WithNext("Declare one more worker node in the lab file's cluster block.")
		}
	}
	return nil
}

// act does what a step does to nodes. What was done before is done again: that changes nothing.
func (sc *compiled) act(ctx context.Context, actions []*labfile.NodeAction) error {
	for _, a := range actions {
		content, err := sc.contentFor(ctx, a)
		if err != nil {
			return err
		}
		args := append([]string{a.Target(), a.Path(), base64.StdEncoding.EncodeToString(content)}, a.Mounts...)
		out, err := sc.changeNode(ctx, a.Node, a.String(), "take", args...)
		if err != nil {
			return err
		}
		if by, taken := strings.CutPrefix(out, "taken "); taken {
			return clierr.New(clierr.Refused, "scenario %s cannot %s: another scenario does something to the same", sc.s.Name, a).
				WithNext("Solve that one or reset it first: `labctl reset %s`.", plainName(by))
		}
	}
	return nil
}

// plainName is a scenario's name as a node says it, which may say anything.
func plainName(name string) string {
	if labfile.IsName(name) {
		return name
	}
	return "--all"
}

// contentFor returns what the file that an action changes is to hold; nil for none.
func (sc *compiled) contentFor(ctx context.Context, a *labfile.NodeAction) ([]byte, error) {
	if a.Component == "" {
		return a.Content, nil
	}
	saved := path.Join(nodeFolder, sc.s.Name, a.Target(), "saved")
	text, err := sc.onNode(ctx, a.Node, `if [ -e "$1" ]; then cat "$1"; else cat "$2"; fi`, saved, a.Path())
	if err != nil {
		return nil, fmt.Errorf("reading %s on %s: %w", a.Path(), a.Node, err)
	}
	return withFlags([]byte(text), a)
}

// onNode runs a line of sh that only looks on a node.
func (sc *compiled) onNode(ctx context.Context, node, line string, args ...string) (string, error) {
	nodes, is := sc.cluster.(NodeRunner)
	if !is {
		return "", errNoNodes
	}
	return nodes.OnNode(ctx, node, append([]string{"sh", "-c", line, "sh"}, args...)...)
}

// withFlags is the manifest of a static pod whose program is started with other flags, and with directories of the node.
func withFlags(manifest []byte, a *labfile.NodeAction) ([]byte, error) {
	const most = 64 << 10
	var pod map[string]any
	if len(manifest) > most {
		return nil, fmt.Errorf("%s on %s holds more than %d KiB", a.Path(), a.Node, most>>10)
	}
	if err := yaml.Unmarshal(manifest, &pod); err != nil {
		return nil, fmt.Errorf("reading %s on %s: %w", a.Path(), a.Node, err)
	}
	containers, _, _ := unstructured.NestedSlice(pod, "spec", "containers")
	if len(containers) == 0 {
		return nil, fmt.Errorf("%s on %s is no manifest of a pod", a.Path(), a.Node)
	}
	program, _ := containers[0].(map[string]any)
	argv, _, _ := unstructured.NestedStringSlice(program, "command")
	for _, name := range slices.Sorted(maps.Keys(a.Flags)) {
		argv = slices.DeleteFunc(argv, func(arg string) bool { return arg == "--"+name || strings.HasPrefix(arg, "--"+name+"=") })
		if value := a.Flags[name]; value != nil {
			argv = append(argv, "--"+name+"="+*value)
		}
	}
	_ = unstructured.SetNestedStringSlice(program, argv, "command") // a slice of texts always fits
	volumes, _, _ := unstructured.NestedSlice(pod, "spec", "volumes")
	mounts, _, _ := unstructured.NestedSlice(program, "volumeMounts")
	for i, dir := range a.Mounts {
		name := fmt.Sprintf("labctl-%d", i+1)
		volumes = append(volumes, map[string]any{"name": name, "hostPath": map[string]any{"path": dir, "type": "DirectoryOrCreate"}})
		mounts = append(mounts, map[string]any{"name": name, "mountPath": dir})
	}
	if len(a.Mounts) > 0 {
		program["volumeMounts"] = mounts
		set(pod, volumes, "spec", "volumes")
	}
	set(pod, containers, "spec", "containers")
	return yaml.Marshal(pod)
}

// undoNodes puts back what was done to nodes, the last first, and reports whether there was anything.
func (sc *compiled) undoNodes(ctx context.Context, sink event.Sink) (undone bool, err error) {
	for _, a := range slices.Backward(sc.s.NodeActions()) {
		nodes, is := sc.cluster.(NodeChanger)
		if is {
			_, is = nodes.NodeName(a.Node)
		}
		if !is {
			continue // nothing can have been done there
		}
		sink.Emit(event.Progress{Addr: sc.addr(), Step: "undoing: " + a.String()})
		out, err := sc.changeNode(ctx, a.Node, "undo: "+a.String(), "undo", a.Target(), a.Path())
		if err != nil {
			return undone, err
		}
		undone = undone || out == "undone"
	}
	return undone, nil
}

// restoreNodes is undoNodes, and returns when the cluster runs again what had been taken from it.
func (sc *compiled) restoreNodes(ctx context.Context, c *kube.Client, sink event.Sink) error {
	undone, err := sc.undoNodes(ctx, sink)
	if err != nil || !undone {
		return err
	}
	sink.Emit(event.Progress{Addr: sc.addr(), Step: "waiting until the nodes are well again", Expect: 15 * time.Second})
	if sc.s.TakesAPI() {
		if err := c.WaitAPI(ctx); err != nil {
			return err
		}
	}
	var names []string
	for _, a := range sc.s.NodeActions() {
		if name, is := sc.cluster.(NodeChanger).NodeName(a.Node); is {
			names = append(names, name)
		}
	}
	return awaitNodes(ctx, c, names)
}

// awaitNodes returns when the nodes are Ready, and all of the system's pods on them.
func awaitNodes(ctx context.Context, c *kube.Client, names []string) error {
	pods := kube.Query{Kind: "Pod", Namespace: "kube-system"}
	last := "nothing yet"
	err := c.Until(ctx, []kube.Query{nodesQuery, pods}, func(s kube.Snapshot) kube.Decision {
		if err := s.Err(); err != nil {
			last = err.Error()
			return kube.Decision{}
		}
		if !s.Synced() {
			return kube.Decision{}
		}
		var waiting []string
		ready := kube.NodesReady(s[nodesQuery].Objects)
		for _, name := range names {
			if !slices.Contains(ready, name) {
				waiting = append(waiting, "node "+name+" is not Ready")
			}
		}
		for _, pod := range s[pods].Objects {
			node, _, _ := unstructured.NestedString(pod.Object, "spec", "nodeName")
			if status, _ := kube.Status(pod, "Ready"); status != "True" && slices.Contains(names, node) {
				waiting = append(waiting, refOf(pod)+" is not Ready")
			}
		}
		last = strings.Join(waiting, ", ")
		return kube.Decision{Done: len(waiting) == 0}
	})
	if err != nil {
		return clierr.New(clierr.Inconclusive, "waiting until the nodes are well again: last seen: %s: %w", last, err)
	}
	return nil
}

// nodeMarks is a source: what was done to the scenario's nodes, as they say. It tells that a scenario was seeded when its
// record is lost.
type nodeMarks struct{ sc *compiled }

var nodeMarksQuery = kube.Query{Kind: "NodeAction"}

func (nodeMarks) query() kube.Query { return nodeMarksQuery }
func (nodeMarks) String() string    { return "what was done to nodes" }

func (m nodeMarks) read(ctx context.Context, _ *kube.Client) (found []*unstructured.Unstructured, err error) {
	for _, a := range m.sc.s.NodeActions() {
		out, err := m.sc.onNode(ctx, a.Node, `if [ -e "$1/noted" ]; then echo noted; fi`, path.Join(nodeFolder, m.sc.s.Name, a.Target()))
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(out) == "noted" {
			found = append(found, &unstructured.Unstructured{Object: map[string]any{
				"kind": "NodeAction", "metadata": map[string]any{"name": a.Node + " " + a.Target()},
			}})
		}
	}
	return found, nil
}

// recordNode is the node that keeps the record of a scenario which takes the API server away.
const recordNode = "control-plane"

// nodeRecord is a source: that record, in the form in which the others' is read off the cluster.
type nodeRecord struct{ sc *compiled }

func (n nodeRecord) query() kube.Query { return recordQuery(n.sc.lab) }
func (nodeRecord) String() string      { return "the record on the node " + recordNode }

func (n nodeRecord) read(ctx context.Context, _ *kube.Client) ([]*unstructured.Unstructured, error) {
	const most = 256 << 10
	text, err := n.sc.onNode(ctx, recordNode, `if [ -e "$1" ]; then head -c "$2" "$1"; fi`, path.Join(nodeFolder, n.sc.s.Name, "record"), fmt.Sprint(most))
	if err != nil || text == "" {
		return nil, err
	}
	cm := &unstructured.Unstructured{Object: map[string]any{
		"kind": "ConfigMap", "metadata": map[string]any{"name": recordName(n.sc.lab)}, "data": map[string]any{n.sc.s.Name: text},
	}}
	cm.SetLabels(map[string]string{kube.LabelLab: n.sc.lab})
	return []*unstructured.Unstructured{cm}, nil
}

// NodeLines lists how the nodes are that the scenario works on, one line for each file and service, sorted; none for a
// scenario that works on none. It is what Snapshot is for the cluster.
func (r *Resource) NodeLines(ctx context.Context) ([]string, error) {
	sc, err := compile(r.lab, r.s)
	if err != nil {
		return nil, err
	}
	sc.cluster = r.cluster
	const look = `echo "kubelet $(systemctl is-active kubelet)"
find /etc/kubernetes /etc/cni/net.d -type f ! -name '.*' -exec sha256sum {} + -exec stat -c '%n %a %u:%g' {} +
find /etc/kubernetes /etc/cni/net.d /var/log/kubernetes -type d 2>/dev/null
find /var/lib/labctl 2>/dev/null
true`
	var all []string
	seen := map[string]bool{}
	for _, a := range r.s.NodeActions() {
		if seen[a.Node] {
			continue
		}
		seen[a.Node] = true
		out, err := sc.onNode(ctx, a.Node, look)
		if err != nil {
			return nil, fmt.Errorf("looking at the node %s: %w", a.Node, err)
		}
		for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
			all = append(all, "node "+a.Node+": "+line)
		}
	}
	slices.Sort(all)
	return all, nil
}
