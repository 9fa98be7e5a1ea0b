package labfile

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// NodeAction is what a step does to a node: one of a closed set, each with its undo. It stops something, or writes a file,
// or changes how a component of the control plane is started.
type NodeAction struct {
	// Node is its name without the cluster's: "control-plane", "worker2".
	Node string
	// Stop is what is stopped: Kubelet, or one of Components.
	Stop string
	// File is the path of a file that is written; Content is what is put there.
	File    string
	Content []byte
	// Component is the one that is started otherwise: with Flags, where a nil value takes one away, and with Mounts of
	// directories of the node, each at its own place.
	Component string
	Flags     map[string]*string
	Mounts    []string
	Range     hcl.Range
}

// Kubelet is the one service of a node that can be stopped.
const Kubelet = "kubelet"

// Components are those of the control plane, which the kubelet runs from the files in ManifestDir.
var Components = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}

// ManifestDir is where the kubelet finds the manifests of static pods on a node that kubeadm has made.
const ManifestDir = "/etc/kubernetes/manifests"

// Path is the file that the action changes on its node; "" for none.
func (a *NodeAction) Path() string {
	switch component := a.Stop + a.Component; {
	case slices.Contains(Components, component):
		return ManifestDir + "/" + component + ".yaml"
	default:
		return a.File
	}
}

// Target names what the action is about. No two actions on a node may be about the same.
func (a *NodeAction) Target() string {
	if a.File != "" {
		return "file" + strings.ReplaceAll(a.File, "/", "=")
	}
	return a.Stop + a.Component
}

// TakesAPI reports whether the API server may not answer after the action.
func (a *NodeAction) TakesAPI() bool {
	is := a.Stop + a.Component
	return is == "etcd" || is == "kube-apiserver"
}

// String says what is done: "stop kubelet on worker2".
func (a *NodeAction) String() string {
	switch {
	case a.Stop != "":
		return "stop " + a.Stop + " on " + a.Node
	case a.File != "":
		return "write " + a.File + " on " + a.Node
	}
	return "change the flags of " + a.Component + " on " + a.Node
}

// NodeActions are those of all steps, in their order.
func (d *Definition) NodeActions() (all []*NodeAction) {
	if d.Seed == nil {
		return nil
	}
	for _, s := range d.Seed.Steps {
		all = append(all, s.Nodes...)
	}
	return all
}

// TakesAPI reports whether a seeded scenario may keep the API server from answering.
func (d *Definition) TakesAPI() bool {
	return slices.ContainsFunc(d.NodeActions(), (*NodeAction).TakesAPI)
}

const (
	// maxNodeFile bounds a file that is written: it is handed over as an argument.
	maxNodeFile = 64 << 10
	maxMounts   = 8
)

var (
	// What may be written, and what may be mounted: what Kubernetes is configured by, and where it may log.
	nodeFile  = regexp.MustCompile(`^/etc/(kubernetes|cni/net\.d)(/[A-Za-z0-9_][A-Za-z0-9._-]*)+$`)
	nodeMount = regexp.MustCompile(`^/(etc/kubernetes|var/log/kubernetes)(/[A-Za-z0-9_][A-Za-z0-9._-]*)+$`)
	// A flag of a component, and a value that is one argument.
	nodeFlag = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
)

// nodeActions decodes the node blocks of a step.
func (b *block) nodeActions(d *Definition, earlier []*Step) (all []*NodeAction) {
	taken := map[string]bool{}
	for _, s := range earlier {
		for _, a := range s.Nodes {
			taken[a.Node+" "+a.Target()] = true
		}
	}
	for _, at := range b.each("node") {
		a := b.nodeAction(at, d)
		if a == nil {
			continue
		}
		if id := a.Node + " " + a.Target(); taken[id] {
			b.report(header(at), "Done twice", "Another node block is about the same already, and the scenario could not tell what to undo.")
		} else {
			taken[id] = true
		}
		all = append(all, a)
	}
	return all
}

func (b *block) nodeAction(at *hclsyntax.Block, d *Definition) *NodeAction {
	if !b.labels(at, "node") {
		return nil
	}
	a := &NodeAction{Node: at.Labels[0], Range: header(at)}
	if !nodeSuffix.MatchString(a.Node) {
		b.report(at.LabelRanges[0], "Unknown node", "%q is not a node such as control-plane, worker or worker2.", a.Node)
	}
	inner := b.open(at.Body, fmt.Sprintf("node %q", a.Node), header(at), b.scope, shape{
		attributes: []string{"stop", "file", "source", "component", "flags", "mounts"},
	})
	a.Stop, _ = inner.text("stop")
	a.File, _ = inner.text("file")
	a.Component, _ = inner.text("component")
	var acts []string
	for _, name := range []string{"stop", "file", "component"} {
		if inner.syntax.Attributes[name] != nil {
			acts = append(acts, name)
		}
	}
	if len(acts) != 1 {
		b.missing(header(at), "No action", "A node block does one of three things: stop (a component or the kubelet), file (write one) or component (change its flags).")
		return nil
	}
	with := map[string][]string{"file": {"source"}, "component": {"flags", "mounts"}}[acts[0]]
	for _, name := range []string{"source", "flags", "mounts"} {
		if attribute := inner.syntax.Attributes[name]; attribute != nil && !slices.Contains(with, name) {
			b.report(attribute.NameRange, "Conflicting attributes", "%q does not go with %q.", name, acts[0])
		}
	}
	switch acts[0] {
	case "stop":
		inner.oneOf("stop", a.Stop, append([]string{Kubelet}, Components...))
	case "file":
		inner.nodeFile(a, d.Files)
	case "component":
		inner.oneOf("component", a.Component, Components)
		inner.nodeFlags(a)
	}
	if component := a.Stop + a.Component; slices.Contains(Components, component) && a.Node != "control-plane" {
		b.report(at.LabelRanges[0], "Wrong node", "%s runs on the node %q.", component, "control-plane")
	}
	return a
}

// nodeFile reads what a file of a node is to hold.
func (b *block) nodeFile(a *NodeAction, files fs.FS) {
	if b.syntax.Attributes["file"] != nil && (!nodeFile.MatchString(a.File) || strings.HasPrefix(a.File, ManifestDir)) {
		b.report(b.rangeOf("file"), "Invalid path", "%q is not a file below /etc/kubernetes or /etc/cni/net.d. What is in %s is changed with stop or component.", a.File, ManifestDir)
	}
	source, ok := b.text("source")
	if !ok {
		if b.syntax.Attributes["source"] == nil {
			b.missing(b.at, "Missing attribute", "%s needs the attribute %q: the file of the scenario's folder that is put there.", upperFirst(b.what), "source")
		}
		return
	}
	at := b.rangeOf("source")
	if files == nil || !fs.ValidPath(source) {
		b.report(at, "Invalid path", "%q is not the path of a file below the scenario's folder.", source)
		return
	}
	info, err := fs.Stat(files, source)
	switch {
	case err != nil:
		b.report(at, "Cannot read", "%s: %v", path.Base(source), err)
	case !info.Mode().IsRegular():
		b.report(at, "Cannot read", "%s is not a file.", source)
	case info.Size() > maxNodeFile:
		b.report(at, "File too large", "A file of a node holds at most %d KiB.", maxNodeFile>>10)
	default:
		if a.Content, err = fs.ReadFile(files, source); err != nil {
			b.report(at, "Cannot read", "%s: %v", source, err)
		}
	}
}

// nodeFlags decodes how a component is started.
func (b *block) nodeFlags(a *NodeAction) {
	if b.syntax.Attributes["flags"] == nil {
		b.missing(b.at, "Missing attribute", `%s needs the attribute %q: { "profiling" = "false" }.`, upperFirst(b.what), "flags")
	}
	if flags, at, ok := b.value("flags"); ok {
		a.Flags = b.flags(flags, at)
	}
	a.Mounts, _ = b.texts("mounts")
	for _, dir := range a.Mounts {
		if !nodeMount.MatchString(dir) {
			b.report(b.rangeOf("mounts"), "Invalid path", "%q is not a directory below /etc/kubernetes or /var/log/kubernetes.", dir)
		}
	}
	if len(a.Mounts) > maxMounts {
		b.report(b.rangeOf("mounts"), "Too many mounts", "A component gets at most %d.", maxMounts)
	}
}

func (b *block) flags(flags cty.Value, at hcl.Range) map[string]*string {
	if !flags.Type().IsObjectType() && !flags.Type().IsMapType() || !flags.IsWhollyKnown() {
		b.report(at, "Wrong type", `%q must be a map: { "profiling" = "false" }; null takes a flag away.`, "flags")
		return nil
	}
	all := map[string]*string{}
	values := flags.AsValueMap()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name]
		switch {
		case !nodeFlag.MatchString(name):
			b.report(at, "Invalid flag", "%q is not a flag: write it without dashes before it, such as \"profiling\".", name)
		case value.IsNull():
			all[name] = nil
		case value.Type() != cty.String || strings.ContainsFunc(value.AsString(), func(r rune) bool { return r < ' ' }):
			b.report(at, "Invalid flag", "The value of the flag %s must be a text of one line.", name)
		default:
			text := value.AsString()
			all[name] = &text
		}
	}
	if len(all) == 0 && len(values) == 0 {
		b.report(at, "Empty map", "No flag is named.")
	}
	return all
}

// checkNodeActions checks that what takes something away from everything else says so, and that the API server is taken
// away at the end: what comes after that could not be done.
func (b *block) checkNodeActions(d *Definition, seed *Seed) {
	says := map[bool]string{true: "api", false: "node"}
	said := map[string]bool{}
	for _, s := range seed.Steps {
		for _, a := range s.Nodes {
			what := says[a.TakesAPI()]
			if takes := a.TakesAPI() || a.Stop == Kubelet; takes && !slices.Contains(d.Disrupts, what) && !said[what] {
				said[what] = true
				b.missing(a.Range, "Missing attribute", "To %s takes something away from everything else in the cluster: the scenario needs disrupts = [%q].", a, what)
			}
		}
	}
	for i, s := range seed.Steps {
		takes := slices.IndexFunc(s.Nodes, (*NodeAction).TakesAPI)
		if takes < 0 {
			continue
		}
		if i < len(seed.Steps)-1 || takes < len(s.Nodes)-1 || len(s.Until) > 0 {
			b.report(s.Nodes[takes].Range, "Not the last", "The API server may not answer after this, so it has to be the last thing that the seed does.")
		}
		return
	}
}
