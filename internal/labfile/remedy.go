package labfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// remedies decodes all blocks of one type: wrong_fix, right_fix or disturbance.
func (b *block) remedies(kind string) []*Remedy {
	var all []*Remedy
	for _, at := range b.each(kind) {
		r := b.remedy(at, "name")
		if slices.ContainsFunc(all, func(other *Remedy) bool { return r.Name != "" && other.Name == r.Name }) {
			b.report(header(at), "Duplicate "+kind, "The %s %q is declared twice.", kind, r.Name)
		}
		all = append(all, r)
	}
	return all
}

// moreOf are the attributes that one type of remedy has beyond those of all.
var moreOf = map[string][]string{"wrong_fix": {"fails", "answers"}, "right_fix": {"answers"}, "solution": {"answers"}}

// checkFails checks that what wrong fixes are to fail is there.
func (b *block) checkFails(d *Definition) {
	if d.Solved == nil {
		return
	}
	var names []string
	for _, c := range slices.Concat(d.Solved.Conditions, d.Solved.Guards) {
		names = append(names, c.Name)
	}
	for _, fix := range d.WrongFixes {
		for _, name := range fix.Fails {
			if !slices.Contains(names, name) {
				b.report(fix.failsAt, "Unknown condition", "There is no condition or guard %q in \"solved\".%s", name, didYouMean(name, names))
			}
		}
	}
}

// remedy decodes a solution, wrong fix or disturbance block.
func (b *block) remedy(at *hclsyntax.Block, labels ...string) *Remedy {
	r := &Remedy{at: header(at)}
	what := "the " + at.Type + " block"
	if b.labels(at, labels...) && len(labels) > 0 {
		r.Name = at.Labels[0]
		what = fmt.Sprintf("%s %q", at.Type, r.Name)
		b.checkName(at.LabelRanges[0], at.Type, r.Name)
	}
	inner := b.open(at.Body, what, header(at), b.scope, shape{
		attributes: append([]string{"says", "run"}, moreOf[at.Type]...),
		required:   []string{"says"},
	})
	if at.Body.Attributes["run"] == nil && at.Body.Attributes["answers"] == nil {
		b.missing(header(at), "Missing attribute", "%s needs the attribute %q.", upperFirst(what), "run")
	}
	r.Says = inner.prose("says")
	run, ok := inner.texts("run")
	if ok && len(run) == 0 {
		b.report(inner.rangeOf("run"), "Empty list", "There must be at least one command.")
	}
	for _, command := range run {
		if strings.TrimSpace(command) == "" {
			b.report(inner.rangeOf("run"), "Empty command", "A command says nothing.")
		}
	}
	r.Run = run
	r.Answers = inner.given()
	if at.Type == "wrong_fix" {
		r.Fails, _ = inner.texts("fails")
		r.failsAt = inner.rangeOf("fails")
	}
	return r
}
