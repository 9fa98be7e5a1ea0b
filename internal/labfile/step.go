package labfile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/json"
)

// Step is a part of a seed that is done after what stands before it has come into effect.
type Step struct {
	Name string
	// Manifests are made, as the seed's own are. Replace are of objects that were made before, which they take the place of.
	Manifests, Replace []string
	// Patches change what is not the scenario's; a reset undoes that.
	Patches []*Patch
	// Nodes are done on nodes of the cluster; a reset undoes them.
	Nodes []*NodeAction
	// Until are conditions that have to hold before the next step, or the symptom, is begun.
	Until []*Condition
	Range hcl.Range
}

// Patch changes fields of objects that are there without the scenario.
type Patch struct {
	Objects
	// Set are values by JSON pointer: "/spec/unschedulable". A nil value removes the field.
	Set map[string][]byte
	// Taints are added to nodes.
	Taints []Taint
	Range  hcl.Range
}

// Taint is one of a node.
type Taint struct{ Key, Value, Effect string }

const maxSteps = 20

var (
	// What may be set: a field below one of these, by names; an element of a list has no name.
	pointer = regexp.MustCompile(`^/(spec|data|metadata/labels|metadata/annotations)(/([^/~]|~[01])+)+$`)
	taint   = regexp.MustCompile(`^([A-Za-z0-9./_-]+)(?:=([A-Za-z0-9._-]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$`)
)

// steps decodes the step blocks of a seed.
func (b *block) steps(d *Definition, seed *Seed, values map[string]cty.Value) (all []*Step) {
	for _, at := range b.each("step") {
		name := ""
		if b.labels(at, "name") {
			name = at.Labels[0]
			b.checkName(at.LabelRanges[0], "step", name)
		}
		if slices.ContainsFunc(all, func(s *Step) bool { return s.Name == name }) {
			b.report(header(at), "Duplicate step", "The step %q is declared twice.", name)
		}
		if len(all) == maxSteps {
			b.report(header(at), "Too many steps", "A seed has at most %d.", maxSteps)
			return all
		}
		inner := b.open(at.Body, fmt.Sprintf("step %q", name), header(at), b.scope, shape{
			attributes: []string{"manifests", "replace"}, blocks: []string{"patch", "node", "until"},
		})
		s := &Step{Name: name, Range: header(at)}
		s.Manifests, _ = inner.texts("manifests")
		s.Replace, _ = inner.texts("replace")
		for _, at := range inner.each("patch") {
			s.Patches = append(s.Patches, inner.patch(at))
		}
		s.Nodes = inner.nodeActions(d, all)
		if until := inner.single("until"); until != nil {
			b.labels(until)
			s.Until = inner.open(until.Body, "the until block", header(until), b.scope, shape{blocks: []string{"condition"}}).conditions("condition", true)
			for _, c := range s.Until {
				if len(c.Probes) > 0 {
					b.report(c.Range, "Probes here", "A step waits for objects. Ask about those.")
				}
			}
		}
		if len(at.Body.Attributes)+len(at.Body.Blocks) == 0 {
			b.missing(header(at), "Empty step", "The step %q does nothing: it has manifests, replace, patch, node or until.", name)
		}
		all = append(all, s)
		inner.checkReplaced(d, seed, all, values)
	}
	return all
}

// checkReplaced checks that what a step replaces was made before.
func (b *block) checkReplaced(d *Definition, seed *Seed, steps []*Step, values map[string]cty.Value) {
	last := steps[len(steps)-1]
	if len(last.Replace) == 0 {
		return
	}
	known := map[string]bool{}
	for _, m := range b.renderAll(d.Files, &Seed{Manifests: madeBy(seed.Manifests, steps), Verbatim: seed.Verbatim}, b.rangeOf("replace"), values) {
		for _, o := range m.Objects {
			known[identity(o)] = true
		}
	}
	for _, m := range b.renderAll(d.Files, &Seed{Manifests: last.Replace, Verbatim: seed.Verbatim}, b.rangeOf("replace"), values) {
		for _, o := range m.Objects {
			if !known[identity(o)] {
				b.report(b.rangeOf("replace"), "Nothing to replace", "%s of %q is made by no manifest before.", identity(o), m.Path)
			}
		}
	}
}

// madeBy are the manifests that are made first and by steps.
func madeBy(first []string, steps []*Step) []string {
	all := slices.Clone(first)
	for _, s := range steps {
		all = append(all, s.Manifests...)
	}
	return all
}

// identity is the kind, namespace and name of a manifest's object.
func identity(object map[string]any) string {
	meta, _ := object["metadata"].(map[string]any)
	namespace, _ := meta["namespace"].(string)
	if namespace == "" {
		namespace = "default"
	}
	return fmt.Sprintf("%v/%s/%v", object["kind"], namespace, meta["name"])
}

// patch decodes a patch block.
func (b *block) patch(at *hclsyntax.Block) *Patch {
	b.labels(at)
	inner := b.open(at.Body, "the patch block", header(at), b.scope, shape{
		attributes: []string{"kind", "name", "selector", "namespace", "set", "taints"}, required: []string{"kind"},
	})
	p := &Patch{Range: header(at)}
	p.Objects, _ = inner.objects()
	if set, rng, ok := inner.value("set"); ok {
		p.Set = inner.set(set, rng)
	}
	taints, _ := inner.texts("taints")
	for _, text := range taints {
		parts := taint.FindStringSubmatch(text)
		if parts == nil {
			inner.report(inner.rangeOf("taints"), "Invalid taint", "%q is not a taint such as dedicated=batch:NoSchedule.", text)
			continue
		}
		p.Taints = append(p.Taints, Taint{parts[1], parts[2], parts[3]})
	}
	if len(taints) > 0 && p.Kind != "Node" {
		inner.report(inner.rangeOf("taints"), "Misplaced attribute", "Only nodes have taints.")
	}
	if at.Body.Attributes["set"] == nil && at.Body.Attributes["taints"] == nil {
		b.missing(header(at), "Missing attribute", "The patch block needs the attribute %q (fields by JSON pointer) or %q.", "set", "taints")
	}
	return p
}

func (b *block) set(set cty.Value, rng hcl.Range) map[string][]byte {
	if !set.Type().IsObjectType() && !set.Type().IsMapType() {
		b.report(rng, "Wrong type", "%q must be a map of values by JSON pointer: { \"/spec/unschedulable\" = true }.", "set")
		return nil
	}
	all := map[string][]byte{}
	for path, v := range set.AsValueMap() {
		if !pointer.MatchString(path) {
			b.report(rng, "Invalid pointer", "%q is not a JSON pointer to a field of the spec, the data, the labels or the annotations, such as \"/metadata/labels/disk\" (~1 stands for a slash within a name).", path)
			continue
		}
		if v.IsNull() {
			all[path] = nil
			continue
		}
		raw, err := json.Marshal(v, v.Type())
		if err != nil {
			b.report(rng, "Invalid value", "%s: %v", path, err)
			continue
		}
		all[path] = raw
	}
	return all
}

// Pointer splits a JSON pointer of a Patch into names.
func Pointer(path string) []string {
	names := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, name := range names {
		names[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
	}
	return names
}
