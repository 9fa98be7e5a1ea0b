package labfile

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// Manifest is a rendered manifest.
type Manifest struct {
	// Path is where the template lies in Definition.Files.
	Path string
	// Bytes is one or more YAML documents.
	Bytes []byte
	// Objects are what they hold, as kubectl would decode them, each with apiVersion, kind and
	// metadata.name. Integers are int64.
	Objects []map[string]any
}

// Render renders the manifests that a definition's seed makes, those of its steps last, in their order, with the given inputs over
// the defaults. An input that the definition does not have, or of another type than its default, is
// an error, as is a template that does not yield Kubernetes objects. A definition without a seed
// has no manifests.
func Render(d *Definition, input map[string]cty.Value) (manifests []Manifest, diags hcl.Diagnostics) {
	defer rescue(Source{Name: d.Range.Filename}, func(found hcl.Diagnostics) { manifests, diags = nil, found })
	c := newCollector()
	if d.template != nil {
		c.files[d.Range.Filename] = d.template.text
	}
	values := c.inputValues(d, input, func(string) hcl.Range { return d.Range })
	if d.Seed != nil && len(c.diags) == 0 {
		all := &Seed{Manifests: madeBy(d.Seed.Manifests, d.Seed.Steps), Verbatim: d.Seed.Verbatim}
		manifests = c.renderAll(d.Files, all, d.Range, values)
	}
	if diags = c.finish(); diags.HasErrors() {
		return nil, diags
	}
	return manifests, diags
}

// RenderReplacing is Render for the manifests by which a step of the seed replaces what was made before.
func RenderReplacing(d *Definition, step *Step, input map[string]cty.Value) ([]Manifest, hcl.Diagnostics) {
	replacing := *d
	replacing.Seed = &Seed{Manifests: step.Replace, Verbatim: d.Seed.Verbatim}
	return Render(&replacing, input)
}

// inputValues returns a value for every input of a definition. The type is the default's.
func (c *collector) inputValues(d *Definition, given map[string]cty.Value, at func(name string) hcl.Range) map[string]cty.Value {
	values := map[string]cty.Value{}
	var names []string
	for _, input := range d.Inputs {
		names = append(names, input.Name)
		values[input.Name] = input.Default
		value, set := given[input.Name]
		if !set {
			continue
		}
		converted, err := convert.Convert(value, input.Default.Type())
		switch {
		case value.IsNull():
			c.report(at(input.Name), "No value", "The input %q is null. Leave it out for its default.", input.Name)
		case err != nil:
			c.report(at(input.Name), "Wrong type", "The input %q of scenario %q must be %s, and this is %s.", input.Name, d.Name,
				article(input.Default.Type().FriendlyName()), article(value.Type().FriendlyName()))
		case sizeOf(value, maxResult) > maxResult:
			c.report(at(input.Name), "Value too large", "An input holds at most %d KiB.", maxResult>>10)
		default:
			values[input.Name] = converted
		}
	}
	c.validate(d.Inputs, values, func(i Input) (hcl.Range, bool) {
		_, set := given[i.Name]
		return at(i.Name), set
	})
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(names, name) {
			c.unknownInput(at(name), d, name)
		}
	}
	return values
}

func (c *collector) unknownInput(rng hcl.Range, d *Definition, name string) {
	var names []string
	for _, input := range d.Inputs {
		names = append(names, input.Name)
	}
	hint := didYouMean(name, names)
	switch {
	case hint == "" && len(names) > 0:
		hint = " It has " + list(names) + "."
	case hint == "":
		hint = " It has none."
	}
	c.report(rng, "Unknown input", "Scenario %q has no input %q.%s", d.Name, name, hint)
}

// renderAll renders the manifests of a seed; at is where they are named.
func (c *collector) renderAll(files fs.FS, seed *Seed, at hcl.Range, values map[string]cty.Value) []Manifest {
	if len(seed.Manifests) > MaxManifests {
		c.report(at, "Too many manifests", "A seed names at most %d manifests. One of them can hold many objects, separated by ---.", MaxManifests)
		return nil
	}
	var all []Manifest
	objects := map[string]string{} // "Kind/namespace/name" -> path
	for i, path := range seed.Manifests {
		if c.manifests.spent() {
			return nil
		}
		if slices.Contains(seed.Manifests[:i], path) {
			c.report(at, "Duplicate manifest", "%q is named twice.", path)
			continue
		}
		text, err := ReadBeside(files, path)
		if err != nil {
			c.report(at, "Unreadable manifest", "%s", strings.TrimSpace(fmt.Sprintf("The manifest %q cannot be read: %v. %s", path, err, cure(err))))
			continue
		}
		if c.manifests.files += len(text); c.manifests.files > MaxText {
			c.report(at, "Manifests too large", "All manifests of a lab together have at most %d MiB, and with %q they have more.", MaxText>>20, path)
			return nil
		}
		source := Source{Name: path, Bytes: text}
		rendered, ok := text, true
		if seed.Verbatim {
			ok = c.acceptText(source)
		} else {
			rendered, ok = c.renderTemplate(source, values)
		}
		if !ok {
			continue
		}
		m := Manifest{Path: path, Bytes: rendered}
		for _, o := range c.decodeObjects(source, rendered) {
			if other, twice := objects[o.id]; twice {
				c.report(rangeAt(source, 0), "Duplicate object", "The object %s is in %s as well.", o.id, other)
			}
			objects[o.id] = path
			m.Objects = append(m.Objects, o.value)
		}
		all = append(all, m)
	}
	return all
}

// renderTemplate evaluates an HCL template. It reports and returns false if it cannot; of what looks
// like another program's template it says how to keep it.
func (c *collector) renderTemplate(src Source, values map[string]cty.Value) ([]byte, bool) {
	before := len(c.diags)
	rendered, ok := c.fillIn(src, values)
	for _, diag := range c.diags[before:] {
		if strings.Contains(diag.Detail, "not meant for labctl") {
			diag.Detail += " Or set templates = false in the seed: then its manifests are taken as they are."
		}
	}
	return rendered, ok
}

func (c *collector) fillIn(src Source, values map[string]cty.Value) ([]byte, bool) {
	before := len(c.diags)
	if !c.acceptText(src) {
		return nil, false
	}
	tokens, _ := hclsyntax.LexTemplate(src.Bytes, src.Name, hcl.InitialPos)
	if !c.acceptTokens(tokens) {
		return nil, false
	}
	expr, diags := hclsyntax.ParseTemplate(src.Bytes, src.Name, hcl.InitialPos)
	c.hintEscapes(diags, " If this is not meant for labctl, write $${ for ${ and %%{ for %{.")
	c.diags = append(c.diags, diags...)
	if diags.HasErrors() {
		return nil, false
	}
	boundNumbers(expr)
	value, ok := c.evaluate(expr, &scope{
		roots: map[string]map[string]cty.Value{"input": values},
		elsewhere: map[string]string{
			"var": "A manifest can refer to inputs alone.",
		},
		calls: c.calls,
	})
	if !ok || len(c.diags) > before {
		return nil, false
	}
	// A template of one interpolation alone has that value's type.
	text, err := convert.Convert(value, cty.String)
	if err != nil || text.IsNull() {
		c.report(rangeAt(src, 0), "Invalid manifest", "This template does not yield a text.")
		return nil, false
	}
	return []byte(text.AsString()), true
}
