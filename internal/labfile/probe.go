package labfile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Probe runs something in a lab's cluster, or reads a log, so that conditions can ask what came of it. Where is one of
// a live pod (Pod), a throwaway pod (Image) and a node (Node).
type Probe struct {
	Name string
	// Pod is a label selector: Run is run in a pod that runs, the oldest that is ready where there are several.
	Pod       string
	Container string // of Pod; its first when empty
	// Log: what the pods of Pod have logged, instead of a command. Previous: by the run before the one that is now.
	Log, Previous bool
	// Image is that of a pod that is made for this probe and removed after it.
	Image          string
	Labels         map[string]string // of that pod
	ServiceAccount string            // of that pod; none when empty
	Claim          string            // a PersistentVolumeClaim, mounted read-only at /claim in that pod
	// Node is a node's name without its cluster's ("control-plane", "worker2"): Run is run on it by its container engine,
	// so that it needs no API server.
	Node string
	// Namespace of Pod ("default" unless said), or of the throwaway pod: a namespace of labctl's own unless said.
	Namespace string
	// Run is a line for sh. Control is another, which has to succeed at the same place in the same look: where it does
	// not, what Run came to says nothing.
	Run, Control string
	// Within is how long Run and Control each may take.
	Within time.Duration
	// Script, where not nil, is run instead of Run, in a pod of its own with Image.
	Script *Script
	Range  hcl.Range
}

// The bounds of a probe.
const (
	defaultWithin = 5 * time.Second
	maxWithin     = 20 * time.Second // run and control one after the other stay under the minute that a command in a container has
	maxProbes     = 20               // of one scenario
	maxRun        = 16 << 10
)

// A node's name without its cluster's, as kind gives it.
var nodeSuffix = regexp.MustCompile(`^(control-plane|worker)[0-9]*$`)

// probes decodes the probe blocks of a scenario.
func (b *block) probes() []*Probe {
	var all []*Probe
	for _, at := range b.each("probe") {
		if !b.labels(at, "name") {
			continue
		}
		name := at.Labels[0]
		switch {
		case !hclsyntax.ValidIdentifier(name):
			b.report(at.LabelRanges[0], "Invalid name", "The probe %q must be a word of letters, digits and underscores, because conditions call it probe.NAME.", name)
			continue
		case slices.ContainsFunc(all, func(p *Probe) bool { return p.Name == name }):
			b.report(header(at), "Duplicate probe", "The probe %q is declared twice.", name)
			continue
		case len(all) == maxProbes:
			b.report(header(at), "Too many probes", "A scenario has at most %d.", maxProbes)
			return all
		}
		all = append(all, b.probe(at, name))
	}
	return all
}

func (b *block) probe(at *hclsyntax.Block, name string) *Probe {
	inner := b.open(at.Body, fmt.Sprintf("probe %q", name), header(at), b.scope, shape{attributes: []string{
		"pod", "container", "log", "previous", "image", "labels", "service_account", "claim", "node", "namespace", "run", "control", "within",
	}})
	p := &Probe{
		Name: name, Log: inner.flag("log"), Previous: inner.flag("previous"), Labels: inner.textMap("labels"), Within: defaultWithin, Range: header(at),
	}
	p.Pod, _ = inner.text("pod")
	p.Container = inner.named("container")
	p.Image, _ = inner.text("image")
	p.ServiceAccount = inner.named("service_account")
	p.Claim = inner.named("claim")
	p.Node, _ = inner.text("node")
	p.Namespace = inner.named("namespace")
	p.Run, p.Control = inner.line("run"), inner.line("control")
	if within, ok := inner.duration("within", time.Second, maxWithin); ok {
		p.Within = within
	}
	inner.checkPlace(p)
	inner.checkRun(p)
	if p.Pod != "" && p.Namespace == "" {
		p.Namespace = "default"
	}
	return p
}

// named is an attribute that holds the name of an object.
func (b *block) named(attribute string) string {
	text, ok := b.text(attribute)
	if ok && len(validation.IsDNS1123Subdomain(text)) > 0 {
		b.report(b.rangeOf(attribute), "Invalid name", "%q cannot be the name of an object.", text)
	}
	return text
}

// line is a command line for sh.
func (b *block) line(attribute string) string {
	text, ok := b.text(attribute)
	switch {
	case ok && strings.TrimSpace(text) == "":
		b.report(b.rangeOf(attribute), "Empty command", "%q says nothing.", attribute)
	case len(text) > maxRun:
		b.report(b.rangeOf(attribute), "Command too long", "%q holds at most %d KiB.", attribute, maxRun>>10)
	case strings.ContainsRune(text, 0):
		b.report(b.rangeOf(attribute), "Invalid command", "%q holds a NUL character.", attribute)
	}
	return text
}

// checkPlace checks that a probe is at one place, and has what belongs there alone.
func (b *block) checkPlace(p *Probe) {
	var places []string
	for _, place := range []string{"pod", "image", "node"} {
		if b.syntax.Attributes[place] != nil {
			places = append(places, place)
		}
	}
	if len(places) != 1 {
		b.missing(b.at, "No place", "%s runs in a live pod (pod = a label selector), in a pod of its own (image) or on a node (node): give it exactly one of them.", upperFirst(b.what))
		return
	}
	of := map[string][]string{
		"pod":   {"container", "log", "previous", "namespace"},
		"image": {"labels", "service_account", "claim", "namespace"},
	}[places[0]]
	for _, name := range []string{"container", "log", "previous", "labels", "service_account", "claim", "namespace"} {
		if attribute := b.syntax.Attributes[name]; attribute != nil && !slices.Contains(of, name) {
			b.report(attribute.NameRange, "Conflicting attributes", "%q does not go with %q.", name, places[0])
		}
	}
	switch places[0] {
	case "pod":
		if parsed, err := labels.Parse(p.Pod); err != nil || parsed.Empty() {
			b.report(b.rangeOf("pod"), "Invalid selector", "%q is not a label selector such as app=web.", p.Pod)
		}
	case "image":
		if !imageReference.MatchString(p.Image) {
			b.report(b.rangeOf("image"), "Invalid image", "%q is not an image such as busybox:1.36.", p.Image)
		}
		b.checkLabels(p)
		if p.Namespace == "" && (p.ServiceAccount != "" || p.Claim != "") {
			b.missing(b.at, "Missing attribute", "A service account and a claim are a namespace's: %s needs the attribute %q.", b.what, "namespace")
		}
	case "node":
		if !nodeSuffix.MatchString(p.Node) {
			b.report(b.rangeOf("node"), "Unknown node", "%q is not a node such as control-plane, worker or worker2.", p.Node)
		}
	}
}

func (b *block) checkLabels(p *Probe) {
	for key, value := range p.Labels {
		if len(validation.IsQualifiedName(key)) > 0 || len(validation.IsValidLabelValue(value)) > 0 {
			b.report(b.rangeOf("labels"), "Invalid label", "%s=%s cannot be a label.", key, value)
		}
		if strings.HasPrefix(key, "labctl/") || strings.Contains(key, "kubernetes.io/") {
			b.report(b.rangeOf("labels"), "Invalid label", "%s is not an author's to give.", key)
		}
	}
}

// checkRun checks that a probe has something to do, and what tells its failures apart.
func (b *block) checkRun(p *Probe) {
	run, control, previous := b.syntax.Attributes["run"], b.syntax.Attributes["control"], b.syntax.Attributes["previous"]
	switch {
	case p.Log && (run != nil || control != nil):
		b.missing(b.at, "Conflicting attributes", "%s reads a log, and so has no run and no control.", upperFirst(b.what))
	case !p.Log && previous != nil:
		b.report(previous.NameRange, "Conflicting attributes", "%q goes with %q.", "previous", "log")
	case !p.Log && run == nil:
		b.missing(b.at, "Missing attribute", "%s needs the attribute %q: a command line for sh.", upperFirst(b.what), "run")
	case !p.Log && control == nil && b.syntax.Attributes["node"] == nil:
		b.missing(b.at, "Missing attribute", "%s needs the attribute %q: a command that succeeds at the same place whatever the learner has done. Only then does a failure of %q mean anything.",
			upperFirst(b.what), "control", "run")
	}
}

// probesOf returns the keys (see Probe.Key) of the probes and scripts that expressions refer to, sorted. It reports a reference that names none.
func (b *block) probesOf(expressions ...hcl.Expression) (names []string) {
	for _, expr := range expressions {
		if expr == nil {
			continue
		}
		for _, ref := range expr.Variables() {
			root := ref.RootName()
			if root != "probe" && root != "script" {
				continue
			}
			name, is := memberName(ref)
			switch {
			case is && root == "script":
				names = append(names, scriptPrefix+name)
			case is:
				names = append(names, name)
			case root == "script":
				b.report(ref.SourceRange(), "Unknown script", "Call a script by its name: script.NAME.")
			default:
				b.report(ref.SourceRange(), "Unknown probe", "Call a probe by its name: probe.NAME.")
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// onlyProbes checks a condition that asks about no object.
func (b *block) onlyProbes(c *Condition) {
	for _, name := range []string{"name", "selector", "namespace", "match", "sticky"} {
		if attribute := b.syntax.Attributes[name]; attribute != nil {
			b.report(attribute.NameRange, "Conflicting attributes", "%q is for a condition on objects, which has a kind.", name)
		}
	}
	for _, ref := range c.Holds.Variables() {
		if ref.RootName() == "self" {
			b.report(ref.SourceRange(), "Unknown reference", "Without a kind this condition asks about probes alone, and there is no self.")
		}
	}
}

// probeScope is what conditions know of probes before any is run.
func probeScope(probes []*Probe) map[string]map[string]cty.Value {
	known := map[string]cty.Value{}
	for _, p := range probes {
		known[p.Name] = cty.UnknownVal(p.ResultType())
	}
	return map[string]map[string]cty.Value{"probe": known}
}

// ResultType is the type of what conditions see of the probe: output, and of a command its exit code, exit; of a script
// whether it passed.
func (p *Probe) ResultType() cty.Type {
	if p.Script != nil {
		return cty.Object(map[string]cty.Type{"passed": cty.Bool})
	}
	attributes := map[string]cty.Type{"output": cty.String}
	if !p.Log {
		attributes["exit"] = cty.Number
	}
	return cty.Object(attributes)
}
