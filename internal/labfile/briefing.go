package labfile

import (
	"slices"
	"strings"
)

// Briefing is what a learner reads of a scenario before working on it. It gives neither the fault nor the fix away.
type Briefing struct {
	Situation  string   // what there is, as a learner finds it; empty only for a demo
	Goal       string   // what shall be so at the end; empty only for a demo
	Rules      []string // what is not to be done, and what is to stay as it is
	Topic      string   // one line: "pods", "networking"
	Difficulty string   // "easy", "medium" or "hard"; empty: not said
	Minutes    int      // how long it takes a learner, 1 to 240; 0: not said
	After      []string // names of scenarios to do before it, which need not be in the lab
	// Disrupts are what it takes away from everything else in the cluster while it is broken: of "node", "api" and "dns".
	Disrupts []string
}

// The attributes of a scenario block that make its Briefing.
var briefingAttributes = []string{"situation", "goal", "rules", "topic", "difficulty", "minutes", "after", "disrupts"}

var (
	difficulties = []string{"easy", "medium", "hard"}
	disruptions  = []string{"node", "api", "dns"}
)

const maxMinutes = 240

// briefing decodes what a learner reads of the scenario d, whose type and name are decoded already.
func (b *block) briefing(d *Definition) Briefing {
	text := Briefing{Situation: b.prose("situation"), Goal: b.prose("goal"), Topic: b.prose("topic")}
	if d.Type == Break || d.Type == Task {
		b.needsText(d, "situation", "what a learner finds, without what is wrong")
		b.needsText(d, "goal", "what shall be so at the end, without how to get there")
	}
	rules, _ := b.texts("rules")
	for _, rule := range rules {
		if rule = strings.TrimSpace(rule); rule == "" {
			b.report(b.rangeOf("rules"), "Empty text", "A rule says nothing.")
		}
		text.Rules = append(text.Rules, rule)
	}
	if strings.Contains(text.Topic, "\n") {
		b.report(b.rangeOf("topic"), "Too many lines", `"topic" is one line, such as "pods".`)
	}
	if level, ok := b.text("difficulty"); ok {
		b.oneOf("difficulty", level, difficulties)
		text.Difficulty = level
	}
	text.Minutes, _ = b.count("minutes", 1, maxMinutes)
	text.After, _ = b.texts("after")
	for i, name := range text.After {
		at := b.rangeOf("after")
		switch {
		case !b.checkName(at, "scenario", name):
		case name == d.Name:
			b.report(at, "Comes after itself", "The scenario %q cannot come after itself.", name)
		case slices.Contains(text.After[:i], name):
			b.report(at, "Named twice", "The scenario %q is named twice.", name)
		}
	}
	text.Disrupts, _ = b.texts("disrupts")
	for i, what := range text.Disrupts {
		b.oneOf("disrupts", what, disruptions)
		if slices.Contains(text.Disrupts[:i], what) {
			b.report(b.rangeOf("disrupts"), "Named twice", "%q is named twice.", what)
		}
	}
	return text
}

// oneOf reports a word of an attribute that is none of those which it may have.
func (b *block) oneOf(attribute, word string, known []string) {
	if !slices.Contains(known, word) {
		b.report(b.rangeOf(attribute), "Unknown word", "%q takes %s, not %q.%s", attribute, list(known), word, didYouMean(word, known))
	}
}

// needsText reports that a text is not there which a scenario of the type must have. One that is misspelt is reported as that.
func (b *block) needsText(d *Definition, name, what string) {
	if b.syntax.Attributes[name] != nil {
		return
	}
	for other := range b.syntax.Attributes {
		if !slices.Contains(definitionShape.attributes, other) && nearest(other, definitionShape.attributes) == name {
			return
		}
	}
	b.missing(d.Range, "Missing attribute", "A scenario of type %q needs the attribute %q: %s.", d.Type, name, what)
}
