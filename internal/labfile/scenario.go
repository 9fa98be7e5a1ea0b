package labfile

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// scenarios decodes the scenario blocks: those with a type define a scenario and use it, the
// others use one of the catalogue. A definition of the lab's own wins over the catalogue's, so that
// a lab does not break when the catalogue grows.
func (b *block) scenarios(files fs.FS, catalogue Definitions) []*Scenario {
	var all []*Scenario
	seen := map[string]int{} // line of the first
	for _, at := range b.each("scenario") {
		if len(at.Labels) > 0 {
			if line, twice := seen[at.Labels[0]]; twice {
				b.report(header(at), "Duplicate scenario", "The scenario %q is already in this lab, on line %d.", at.Labels[0], line)
				continue
			}
			seen[at.Labels[0]] = at.TypeRange.Start.Line
		}
		if at.Body.Attributes["type"] != nil || at.Body.Attributes["kind"] != nil {
			d := b.decodeDefinition(&template{block: at, files: files, vars: b.scope.roots["var"]}, nil)
			input := map[string]cty.Value{}
			for _, i := range d.Inputs {
				input[i.Name] = i.Default
			}
			all = append(all, &Scenario{Definition: d, Input: input, Range: d.Range})
		} else if b.labels(at, "name") {
			if s := b.use(at, catalogue); s != nil {
				all = append(all, s)
			}
		}
	}
	return all
}

// use decodes a scenario block that takes its scenario from the catalogue.
func (b *block) use(at *hclsyntax.Block, catalogue Definitions) *Scenario {
	name := at.Labels[0]
	load, known := catalogue[name]
	if !known {
		names := slices.Sorted(maps.Keys(catalogue))
		hint := didYouMean(name, names)
		switch {
		case len(at.Body.Blocks) > 0:
			hint = " To define it here, give it a type: break, task or demo."
		case hint == "" && len(names) > 0:
			hint = " It has " + list(names) + "."
		}
		b.report(at.LabelRanges[0], "Unknown scenario", "The catalogue has no scenario %q.%s", name, hint)
		return nil
	}
	d, err := load()
	if err != nil {
		b.report(at.LabelRanges[0], "Invalid scenario", "This is no fault of the lab file: %v.", err)
		return nil
	}
	for _, inner := range at.Body.Blocks {
		b.report(inner.TypeRange, "Misplaced block", "The scenario %q is the catalogue's, and only its inputs can be set. To define one of your own, give it a type.", name)
	}
	inner := &block{collector: b.collector, scope: b.scope, what: fmt.Sprintf("scenario %q", name), at: header(at), syntax: at.Body}
	set := map[string]cty.Value{}
	for input, attribute := range at.Body.Attributes {
		if !slices.ContainsFunc(d.Inputs, func(i Input) bool { return i.Name == input }) {
			b.unknownInput(attribute.NameRange, d, input)
		} else if value, _, ok := inner.value(input); ok {
			set[input] = generalize(value)
		}
	}
	before := len(b.diags)
	values := b.inputValues(d, set, inner.rangeOf)
	if len(set) > 0 && len(b.diags) == before && d.template != nil {
		d = b.redecode(d, values, header(at))
	}
	return &Scenario{Definition: d, Input: values, Range: header(at)}
}

// redecode decodes a definition again with the inputs of a lab. What they break is reported at the
// lab's block, because that is what its author can change.
func (b *block) redecode(d *Definition, values map[string]cty.Value, rng hcl.Range) *Definition {
	own := newCollector()
	decoded := own.decodeDefinition(d.template, values)
	for _, diag := range own.finish() {
		b.report(rng, "Inputs do not fit", "With these inputs the scenario is not valid: %s: %s (%s)", diag.Summary, diag.Detail, diag.Subject)
	}
	return decoded
}
