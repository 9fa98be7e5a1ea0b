package labfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Answer is a question whose answer a learner types: `labctl answer SCENARIO WORDS`.
type Answer struct {
	Name string
	Ask  string
	// Equals are the words of the right answer, in any order; nil where a condition judges them.
	Equals []string
	Range  hcl.Range
}

// The bounds of an answer.
const (
	MaxAnswers     = 20       // of one scenario
	MaxAnswerWords = 100      // of one answer
	MaxAnswer      = 16 << 10 // bytes of one answer
)

// right is what the condition of an answer asks where its words are given.
var right = mustExpression("self.right")

// answers decodes the answer blocks of a scenario. Each is also a condition of what it takes to solve it.
func (b *block) answers() (all []*Answer, conditions []*Condition) {
	for _, at := range b.each("answer") {
		name := ""
		if b.labels(at, "name") {
			name = at.Labels[0]
			b.checkName(at.LabelRanges[0], "answer", name)
		}
		switch {
		case slices.ContainsFunc(all, func(a *Answer) bool { return a.Name == name }):
			b.report(header(at), "Duplicate answer", "The answer %q is declared twice.", name)
			continue
		case len(all) == MaxAnswers:
			b.report(header(at), "Too many answers", "A scenario asks for at most %d.", MaxAnswers)
			return all, conditions
		}
		inner := b.open(at.Body, fmt.Sprintf("answer %q", name), header(at), b.scope, shape{
			attributes: []string{"ask", "equals", "holds"}, required: []string{"ask"},
		})
		a := &Answer{Name: name, Ask: inner.prose("ask"), Range: header(at)}
		c := &Condition{Name: name, Says: "answered: " + a.Ask, Range: a.Range, Holds: right, HoldsSource: "self.right"}
		equals, holds := at.Body.Attributes["equals"], at.Body.Attributes["holds"]
		switch {
		case (equals == nil) == (holds == nil):
			b.missing(header(at), "No right answer", "%s needs either the words of the right answer (equals) or a condition on self.words (holds).", upperFirst(inner.what))
		case holds != nil:
			c.Holds, c.HoldsSource = inner.expression("holds", conditionScope(b.scope))
			c.Live = inner.liveOf(c.Holds)
			if len(inner.probesOf(c.Holds)) > 0 {
				b.report(holds.NameRange, "Probes here", "An answer is judged without probing. Ask about live objects.")
			}
		default:
			a.Equals, _ = inner.texts("equals")
			if len(a.Equals) == 0 || slices.ContainsFunc(a.Equals, func(w string) bool { return len(strings.Fields(w)) != 1 }) {
				b.report(inner.rangeOf("equals"), "Invalid answer", "The right answer is a list of words.")
			}
		}
		c.Evidence = *a
		all, conditions = append(all, a), append(conditions, c)
	}
	return all, conditions
}

// given decodes what a solution or another fix answers.
func (b *block) given() map[string][]string {
	value, rng, ok := b.value("answers")
	if !ok {
		return nil
	}
	if !value.Type().IsObjectType() && !value.Type().IsMapType() {
		b.report(rng, "Wrong type", "%q must be lists of words by the names of answers.", "answers")
		return nil
	}
	all := map[string][]string{}
	for name, words := range value.AsValueMap() {
		if !words.CanIterateElements() {
			b.report(rng, "Wrong type", "%q must be lists of words by the names of answers.", "answers")
			return nil
		}
		for _, w := range words.AsValueSlice() {
			all[name] = append(all[name], textOf(w))
		}
	}
	return all
}

// checkAnswers checks that what fixes answer is asked.
func (b *block) checkAnswers(d *Definition) {
	var names []string
	for _, a := range d.Answers {
		names = append(names, a.Name)
	}
	fixes := slices.Concat(d.WrongFixes, d.RightFixes)
	if d.Solution != nil {
		fixes = append(fixes, d.Solution)
	}
	for _, fix := range fixes {
		for name := range fix.Answers {
			if !slices.Contains(names, name) {
				b.report(fix.at, "Unknown answer", "Nothing asks for %q.%s", name, didYouMean(name, names))
			}
		}
	}
}
