package labfile

import (
	"io/fs"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Definitions are scenarios by their names. A function returns its scenario, always the same one, or which one is invalid
// and where. It may be called from several goroutines.
type Definitions map[string]func() (*Definition, error)

// ParseDefinition decodes and validates a scenario of the catalogue, manifests included: every
// one is read from src.Dir and rendered with the default inputs. All problems are found in one run
// and sorted by position; with an error among them the definition is nil. It never panics and keeps
// no reference to anything that changes, so that it may be called from several goroutines.
func ParseDefinition(src Source) (definition *Definition, diags hcl.Diagnostics) {
	defer rescue(src, func(d hcl.Diagnostics) { definition, diags = nil, d })
	return parseDefinition(src)
}

func parseDefinition(src Source) (*Definition, hcl.Diagnostics) {
	c := newCollector()
	var found *Definition
	if body := c.parseFile(src); body != nil {
		at := hcl.Range{Filename: src.Name, Start: hcl.InitialPos, End: hcl.InitialPos}
		root := c.open(body, "a scenario file", at, &scope{}, shape{blocks: []string{"scenario"}})
		blocks := root.each("scenario")
		for _, second := range blocks[min(1, len(blocks)):] {
			c.report(header(second), "Duplicate block", "A scenario file has one scenario block; the first is on line %d.", blocks[0].TypeRange.Start.Line)
		}
		switch {
		case len(blocks) > 0:
			found = c.decodeDefinition(&template{block: blocks[0], files: src.Dir}, nil)
		case len(c.diags) == 0 || len(body.Blocks) == 0:
			c.missing(at, "No scenario", "This file needs a block: scenario %q { … }.", "name")
		}
	}
	diags := c.finish()
	if diags.HasErrors() {
		return nil, diags
	}
	return found, diags
}

// template is a definition's source. It is decoded again for a lab that sets inputs, because most
// texts of a definition may refer to them.
type template struct {
	block *hclsyntax.Block
	files fs.FS
	text  []byte               // of the file that the block stands in
	vars  map[string]cty.Value // of the lab file that the block stands in; nil in the catalogue
}

// The words that a scenario block takes. An input cannot have the name of one of them.
var definitionShape = shape{
	attributes: slices.Concat([]string{"type", "title", "summary", "debrief", "needs"}, briefingAttributes),
	required:   []string{"type", "title", "summary"},
	blocks:     []string{"input", "seed", "probe", "script", "object", "answer", "clear", "symptom", "solved", "hint", "solution", "wrong_fix", "right_fix", "disturbance"},
	renamed:    map[string]string{"kind": "type", "decoy": "wrong_fix"},
}

// decodeDefinition decodes a scenario block. Inputs that given does not hold have their defaults.
func (c *collector) decodeDefinition(t *template, given map[string]cty.Value) *Definition {
	body := t.block.Body
	d := &Definition{Files: t.files, Range: header(t.block), template: t}
	if text, known := c.files[d.Range.Filename]; known {
		t.text = text
	} else {
		c.files[d.Range.Filename] = t.text
	}
	what := "a scenario"
	if c.labels(t.block, "name") {
		d.Name = t.block.Labels[0]
		what = `scenario "` + d.Name + `"`
		c.checkName(t.block.LabelRanges[0], "scenario", d.Name)
	}

	s := &scope{
		roots:     map[string]map[string]cty.Value{},
		elsewhere: conditionOnly,
		calls:     c.calls,
	}
	if t.vars != nil {
		s.roots["var"] = t.vars
	}
	b := c.open(body, what, d.Range, s, definitionShape)
	if is, ok := b.text("type"); ok {
		d.Type = Type(is)
		if types := []string{string(Break), string(Task), string(Demo)}; !slices.Contains(types, is) {
			b.report(b.rangeOf("type"), "Unknown type", "A scenario is of type %s, not %q.%s", list(types), is, didYouMean(is, types))
		}
	}
	d.Inputs = b.inputs()
	values := map[string]cty.Value{}
	for _, input := range d.Inputs {
		values[input.Name] = input.Default
		if value, set := given[input.Name]; set {
			values[input.Name] = value
		}
	}
	s.roots["input"] = values
	c.validate(d.Inputs, values, func(i Input) (hcl.Range, bool) {
		_, set := given[i.Name] // it was validated where it stands
		return i.Range, !set
	})

	d.Title, d.Summary, d.Debrief = b.prose("title"), b.prose("summary"), b.prose("debrief")
	d.Briefing = b.briefing(d)
	d.Needs = b.needs()
	d.Probes = b.probes()
	scripts := b.scripts(d)
	for _, at := range b.each("clear") {
		d.Clears = append(d.Clears, b.clear(at))
	}
	d.Live = b.liveObjects()
	s.live = probeScope(d.Probes)
	s.live["script"] = scriptScope(scripts)
	d.Probes = append(d.Probes, scripts...)
	s.live["live"] = liveScope(d.Live)
	if at := b.single("seed"); at != nil {
		d.Seed = b.seed(at, d, values)
	}
	if at := b.single("symptom"); at != nil {
		d.Symptom = b.symptom(at, d)
	}
	if at := b.single("solved"); at != nil {
		d.Solved = b.solved(at, d)
		var asked []*Condition
		d.Answers, asked = b.answers()
		d.Solved.Conditions = append(d.Solved.Conditions, asked...)
	}
	for _, at := range b.each("hint") {
		d.Hints = append(d.Hints, b.hint(at))
	}
	if at := b.single("solution"); at != nil {
		d.Solution = b.remedy(at)
	}
	d.WrongFixes, d.RightFixes = b.remedies("wrong_fix"), b.remedies("right_fix")
	d.Disturbances = b.remedies("disturbance")
	b.checkFails(d)
	b.checkAnswers(d)
	b.checkKind(d)
	return d
}

// inputs decodes the input blocks.
func (b *block) inputs() []Input {
	var all []Input
	for _, at := range b.each("input") {
		if !b.labels(at, "name") {
			continue
		}
		name := at.Labels[0]
		switch {
		case !hclsyntax.ValidIdentifier(name):
			b.report(at.LabelRanges[0], "Invalid name", "The input %q must be a word of letters, digits and underscores.", name)
			continue
		case slices.Contains(definitionShape.attributes, name), slices.Contains(definitionShape.blocks, name), definitionShape.renamed[name] != "":
			b.report(at.LabelRanges[0], "Reserved name", "An input cannot be called %q, because a scenario block uses that word itself.", name)
			continue
		case slices.ContainsFunc(all, func(i Input) bool { return i.Name == name }):
			b.report(header(at), "Duplicate input", "The input %q is declared twice.", name)
			continue
		}
		// The type of one that is broken stays unknown, so that what refers to it is let pass.
		input := Input{Name: name, Default: cty.DynamicVal, Range: header(at)}
		inner := b.open(at.Body, `input "`+name+`"`, header(at), b.scope, shape{
			attributes: []string{"default", "description"},
			required:   []string{"default"},
			blocks:     []string{"validation"},
		})
		input.Description, _ = inner.text("description")
		if value, rng, ok := inner.value("default"); ok {
			if sizeOf(value, maxResult) > maxResult {
				b.report(rng, "Value too large", "An input holds at most %d KiB.", maxResult>>10)
			} else {
				input.Default = generalize(value)
			}
		}
		for _, at := range inner.each("validation") {
			input.Validations = append(input.Validations, inner.validation(at, name))
		}
		all = append(all, input)
	}
	return all
}

// seed decodes the seed block and renders its manifests once, so that what is wrong with them is
// found now and not on a cluster.
func (b *block) seed(at *hclsyntax.Block, d *Definition, values map[string]cty.Value) *Seed {
	allowed := shape{attributes: []string{"manifests", "templates", "images"}, required: []string{"manifests"}, blocks: []string{"step"}}
	if hasBlock(at.Body, "step") {
		allowed.required = nil
	}
	if d.Type == Task { // which may begin with nothing, but the learner's images have to come from somewhere
		allowed.required = nil
	}
	inner := b.open(at.Body, "the seed block", header(at), b.scope, allowed)
	b.labels(at)
	seed := &Seed{Verbatim: at.Body.Attributes["templates"] != nil && !inner.flag("templates")}
	seed.Manifests, _ = inner.texts("manifests")
	seed.Images, _ = inner.texts("images")
	for _, image := range seed.Images {
		if !imageReference.MatchString(image) {
			b.report(inner.rangeOf("images"), "Invalid image", "%q is not an image such as nginx:1.25.", image)
		}
	}
	if d.Type == Task && allowed.required == nil && !hasBlock(at.Body, "step") && inner.syntax.Attributes["manifests"] == nil && inner.syntax.Attributes["images"] == nil {
		b.missing(header(at), "Missing attribute", "The seed block of a task needs the attribute %q (what is given) or %q (what the learner needs).", "manifests", "images")
	}
	if _, given, ok := inner.value("manifests"); ok && len(seed.Manifests) == 0 {
		b.report(given, "Empty list", "A seed needs at least one manifest.")
	}
	seed.Steps = inner.steps(d, seed, values)
	b.checkNodeActions(d, seed)
	all := &Seed{Manifests: madeBy(seed.Manifests, seed.Steps), Verbatim: seed.Verbatim}
	b.renderAll(d.Files, all, inner.rangeOf("manifests"), values)
	return seed
}

func hasBlock(body *hclsyntax.Body, kind string) bool {
	return slices.ContainsFunc(body.Blocks, func(b *hclsyntax.Block) bool { return b.Type == kind })
}

// checkKind checks that a scenario has what its kind needs, and nothing that it cannot have.
func (b *block) checkKind(d *Definition) {
	required := map[Type][]string{
		Break: {"seed", "symptom", "solved", "solution"},
		Task:  {"solved", "solution"},
		Demo:  {"seed", "symptom", "disturbance"},
	}[d.Type]
	forbidden := map[Type]map[string]string{
		Break: {"disturbance": "only a demo is disturbed; a break has wrong_fix"},
		Task: {
			"symptom":     "a task starts with nothing to see",
			"disturbance": "only a demo is disturbed; a task has wrong_fix",
		},
		Demo: {
			"solved":    "a demo is not solved: it holds, by its symptom block, or it does not",
			"solution":  "a demo is not solved: it holds, by its symptom block, or it does not",
			"wrong_fix": "a demo has disturbances instead",
			"right_fix": "a demo is not solved: it holds, by its symptom block, or it does not",
		},
	}[d.Type]
	for _, kind := range required {
		if len(b.each(kind)) == 0 {
			b.missing(d.Range, "Missing block", "A scenario of type %q needs a block %q.", d.Type, kind)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(forbidden)) {
		for _, at := range b.each(kind) {
			b.report(header(at), "Misplaced block", "A scenario of type %q has no block %q: %s.", d.Type, kind, forbidden[kind])
		}
	}
	if n := len(b.each("disturbance")); d.Type == Demo && n == 1 {
		b.missing(d.Range, "Missing block", "A demo needs at least two blocks %q, so that its symptom is known to fail for more than one reason.", "disturbance")
	}
}
