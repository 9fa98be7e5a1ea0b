package labfile

import (
	"io/fs"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// The bounds and the default of a lab's time to live.
const (
	minTTL     = 10 * time.Minute
	maxTTL     = 72 * time.Hour
	defaultTTL = 4 * time.Hour
)

// Parse decodes and validates a lab file. All problems, of the file as of the options, are found
// in one run, each once and sorted by file and position; with an error among them the lab is nil.
// FormatDiagnostics shows them without needing the file again. It never panics, reads nothing but
// its arguments, and may be called from several goroutines.
func Parse(src Source, opt Options) (lab *Lab, diags hcl.Diagnostics) {
	defer rescue(src, func(d hcl.Diagnostics) { lab, diags = nil, d })
	return parse(src, opt)
}

func parse(src Source, opt Options) (*Lab, hcl.Diagnostics) {
	c := newCollector()
	var lab *Lab
	if body := c.parseFile(src); body != nil {
		lab = c.decodeLab(src, body, opt)
	}
	diags := c.finish()
	if diags.HasErrors() {
		return nil, diags
	}
	return lab, diags
}

// decodeLab decodes a whole file.
func (c *collector) decodeLab(src Source, body *hclsyntax.Body, opt Options) *Lab {
	start := hcl.Range{Filename: src.Name, Start: hcl.InitialPos, End: hcl.InitialPos}
	if len(body.Blocks) == 0 && len(body.Attributes) == 0 {
		c.missing(start, "Empty file", "There is nothing in this file. A lab file begins with: lab %q { … }.", "name")
		return nil
	}
	s := &scope{
		roots: map[string]map[string]cty.Value{},
		elsewhere: map[string]string{
			"host":  "A host can be referred to only by the attribute host of a cluster.",
			"input": "Inputs are known only within the scenario that declares them.",
		},
		calls: c.calls,
	}
	for root, where := range conditionOnly {
		s.elsewhere[root] = where
	}
	file := c.open(body, "a lab file", start, s, shape{blocks: []string{"lab", "variable", "host", "cluster", "scenario"}})
	lab := &Lab{Path: src.Name}
	s.roots["var"], lab.VariableValues = file.variables(opt)
	file.lab(lab, opt)
	file.host(lab, opt)
	file.cluster(lab, opt)
	var files fs.FS
	if src.Dir != nil {
		kept := &folder{from: src.Dir, kept: Files{}}
		defer func() { lab.Files = kept.files() }()
		files = kept
	}
	lab.Scenarios = file.scenarios(files, opt.Catalogue)
	if opt.Local {
		lab.Host = nil
	}
	if lab.Host == nil {
		lab.TTL = 0
	}
	return lab
}

// lab decodes the lab block, and applies --name.
func (b *block) lab(lab *Lab, opt Options) {
	if opt.Name != "" {
		if wrong := wrongName("lab", opt.Name); wrong != "" {
			b.reportNowhere("Invalid --name", "%s", wrong)
		}
	}
	at := b.single("lab")
	if at == nil {
		b.missing(b.at, "No lab block", "A lab file needs a block: lab %q { … }.", "name")
		return
	}
	if b.labels(at, "name") {
		lab.Name = at.Labels[0]
		b.checkName(at.LabelRanges[0], "lab", lab.Name)
	}
	if opt.Name != "" {
		lab.Name = opt.Name
	}
	inner := b.open(at.Body, "the lab block", header(at), b.scope, shape{attributes: []string{"title", "ttl"}})
	lab.Title = inner.prose("title")
	lab.TTL = defaultTTL
	if ttl, ok := inner.duration("ttl", minTTL, maxTTL); ok {
		lab.TTL = ttl
	}
}

// oneOfType returns the only block of a type whose first label is a type of its own: host "ec2",
// cluster "kind". It returns nil when there is none or it cannot be used at all.
func (b *block) oneOfType(kind string, types []string) *hclsyntax.Block {
	at := b.single(kind)
	if at == nil || !b.labels(at, "type", "name") {
		return nil
	}
	if given := at.Labels[0]; !slices.Contains(types, given) {
		hint := didYouMean(given, types)
		if hint == "" {
			hint = " There is " + list(types) + "."
		}
		b.report(at.LabelRanges[0], "Unknown type", "There is no %s of type %q.%s", kind, given, hint)
	}
	b.checkName(at.LabelRanges[1], kind, at.Labels[1])
	return at
}
