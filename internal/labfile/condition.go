package labfile

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"k8s.io/apimachinery/pkg/labels"
)

// Condition is a yes-or-no question about evidence.
type Condition struct {
	Name string // the block's label: "never-started"
	Says string // what it means when it holds, for a person
	// Evidence is what it asks about: Objects, Access, Attempt, Answer, or nil where it asks for probes alone.
	Evidence any
	// Probes are the keys (see Probe.Key) of the probes and scripts that its expressions refer to, sorted.
	Probes []string
	// Live are the names of the Definition's Live that its expressions refer to, sorted.
	Live []string
	// Any: one matching object suffices. Otherwise there must be at least one and all must hold.
	Any bool
	// None: there may be no matching object for which Holds is true.
	None bool
	// Holds is evaluated with self (the live object), input, seed (manifests by "Kind/name") and
	// seeded (uid and time by "Kind/name", as recorded when the scenario was seeded).
	Holds hcl.Expression
	// HoldsSource is the expression as written, for messages.
	HoldsSource string
	// InconclusiveIf, where set and true, makes the answer "inconclusive": a fault of the environment.
	InconclusiveIf       hcl.Expression
	InconclusiveIfSource string
	// Sticky: once seen, it stays proven for the same object UID and the same spec.
	Sticky bool
	Range  hcl.Range
}

// Objects are live objects of the cluster: those of a kind that have this name, or that a label selector matches.
type Objects struct {
	Kind      string // "Pod", "Deployment", or "Deployment.apps" where a kind is ambiguous
	Namespace string // "default" unless said
	Name      string
	Selector  string // Kubernetes label selector syntax
}

// maxStable bounds how long a fix must have held: a learner waits for it.
const maxStable = 10 * time.Minute

var (
	// A kind, optionally with its group: Pod, Deployment.apps, NetworkPolicy.networking.k8s.io.
	objectKind = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{0,62}(\.[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$`)
	// Names of objects are DNS subdomains, and of some kinds path segments such as system:masters.
	objectName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9:._-]{0,251}[A-Za-z0-9])?$`)
)

// conditionOnly explains the roots that only holds and inconclusive_if have.
var conditionOnly = map[string]string{
	"self":   "The live object, self, is known only in holds and inconclusive_if.",
	"seed":   "The seeded manifests, seed, are known only in holds and inconclusive_if.",
	"seeded": "The record of the seeding, seeded, is known only in holds and inconclusive_if.",
}

// conditionScope is what holds and inconclusive_if may refer to: inputs by their type, and what only a
// live cluster knows.
func conditionScope(s *scope) *scope {
	inputs := map[string]cty.Value{}
	for name, value := range s.roots["input"] {
		inputs[name] = cty.UnknownVal(value.Type())
	}
	roots := map[string]map[string]cty.Value{"self": nil, "seed": nil, "seeded": nil, "input": inputs}
	maps.Copy(roots, s.live)
	return &scope{
		roots: roots,
		elsewhere: map[string]string{
			"var": "A condition cannot refer to var. Declare an input, and give it this variable as its default.",
		},
		calls: s.calls,
	}
}

// symptom decodes the symptom block.
func (b *block) symptom(at *hclsyntax.Block, d *Definition) []*Condition {
	inner := b.open(at.Body, "the symptom block", header(at), b.scope, shape{blocks: []string{"condition", "access", "attempt"}})
	b.labels(at)
	return inner.conditions("condition", true, append(inner.access(), inner.attempts(d)...)...)
}

// solved decodes the solved block.
func (b *block) solved(at *hclsyntax.Block, d *Definition) *Solved {
	inner := b.open(at.Body, "the solved block", header(at), b.scope, shape{
		attributes: []string{"stable_for"},
		renamed:    map[string]string{"hold": "stable_for"},
		blocks:     []string{"condition", "guard", "access", "attempt"},
	})
	b.labels(at)
	solved := &Solved{Conditions: inner.conditions("condition", len(b.each("answer")) == 0, append(inner.access(), inner.attempts(d)...)...), Guards: inner.conditions("guard", false)}
	solved.StableFor, _ = inner.duration("stable_for", 0, maxStable)
	return solved
}

// conditions decodes all blocks of one type, and adds others, each a condition of a block of its own; there must be one
// if needed.
func (b *block) conditions(kind string, needed bool, others ...*Condition) []*Condition {
	var all []*Condition
	for _, at := range b.each(kind) {
		name := ""
		if b.labels(at, "name") {
			name = at.Labels[0]
			b.checkName(at.LabelRanges[0], kind, name)
		}
		if slices.ContainsFunc(all, func(c *Condition) bool { return name != "" && c.Name == name }) {
			b.report(header(at), "Duplicate "+kind, "The %s %q is declared twice in %s.", kind, name, b.what)
		}
		all = append(all, b.condition(at, name, true))
	}
	for _, c := range others {
		if slices.ContainsFunc(all, func(other *Condition) bool { return other.Name == c.Name }) {
			b.report(c.Range, "Duplicate condition", "The condition %q is declared twice in %s.", c.Name, b.what)
		}
		all = append(all, c)
	}
	if len(all) == 0 && needed {
		b.missing(b.at, "Missing block", "%s needs at least one block %q.", upperFirst(b.what), kind)
	}
	return all
}

// condition decodes the attributes that condition, guard and when blocks share.
func (b *block) condition(at *hclsyntax.Block, name string, says bool) *Condition {
	what := "the " + at.Type + " block"
	if name != "" {
		what = fmt.Sprintf("%s %q", at.Type, name)
	}
	allowed := shape{
		attributes: []string{"kind", "name", "selector", "namespace", "match", "holds", "inconclusive_if", "sticky", "says"},
		renamed:    map[string]string{"unless": "inconclusive_if", "latch": "sticky"},
	}
	none := isText(at.Body.Attributes["match"], "none")
	if !none {
		allowed.required = append(allowed.required, "holds")
	}
	if says {
		allowed.required = append(allowed.required, "says")
	}
	inner := b.open(at.Body, what, header(at), b.scope, allowed)
	c := &Condition{Name: name, Says: inner.prose("says"), Sticky: inner.flag("sticky"), Range: header(at)}
	live := conditionScope(b.scope)
	c.Holds, c.HoldsSource = inner.expression("holds", live)
	c.InconclusiveIf, c.InconclusiveIfSource = inner.expression("inconclusive_if", live)
	c.Probes, c.Live = inner.probesOf(c.Holds, c.InconclusiveIf), inner.liveOf(c.Holds, c.InconclusiveIf)
	if len(c.Probes) > 0 && at.Body.Attributes["kind"] == nil {
		inner.onlyProbes(c)
		return c
	}
	if at.Body.Attributes["kind"] == nil {
		b.missing(header(at), "Missing attribute", "%s needs the attribute %q.", upperFirst(what), "kind")
	}
	c.Evidence, c.Any = inner.objects()
	if c.None = none; none && c.Holds == nil {
		c.Holds, c.HoldsSource = mustExpression("true"), "true"
	}
	if sticky := at.Body.Attributes["sticky"]; none && sticky != nil {
		b.report(sticky.NameRange, "Conflicting attributes", "%q remembers what an object has shown, and with match = \"none\" there is none to remember.", "sticky")
	}
	return c
}

// isText reports whether an attribute is this text, written out.
func isText(attribute *hclsyntax.Attribute, text string) bool {
	if attribute == nil {
		return false
	}
	v, diags := attribute.Expr.Value(nil)
	return !diags.HasErrors() && v.Type() == cty.String && v.IsKnown() && !v.IsNull() && v.AsString() == text
}

// objects decodes which objects a condition speaks of, and whether any of them suffices.
func (b *block) objects() (o Objects, enough bool) {
	kind, ok := b.text("kind")
	if o.Kind = kind; ok && !objectKind.MatchString(kind) {
		b.report(b.rangeOf("kind"), "Invalid kind", "%q is not a kind of object such as Pod or Deployment.apps.", kind)
	}
	o.Namespace = "default"
	if namespace, ok := b.text("namespace"); ok {
		o.Namespace = namespace
		b.checkName(b.rangeOf("namespace"), "namespace", namespace)
	}
	name, selector := b.syntax.Attributes["name"], b.syntax.Attributes["selector"]
	switch {
	case name == nil && selector == nil:
		b.missing(b.at, "Missing attribute", "%s needs either the name of an object or a label selector.", upperFirst(b.what))
	case name != nil && selector != nil:
		b.report(selector.NameRange, "Conflicting attributes", "%s has either a name or a selector, not both.", upperFirst(b.what))
	}
	if text, ok := b.text("name"); ok {
		if o.Name = text; !objectName.MatchString(text) {
			b.report(b.rangeOf("name"), "Invalid name", "%q cannot be the name of an object.", text)
		}
	}
	if text, ok := b.text("selector"); ok {
		o.Selector = text
		if parsed, err := labels.Parse(text); err != nil {
			b.report(b.rangeOf("selector"), "Invalid selector", "%q is not a label selector such as app=web: %v.", text, err)
		} else if parsed.Empty() {
			b.report(b.rangeOf("selector"), "Invalid selector", "An empty selector would match every object.")
		}
	}
	if match, ok := b.text("match"); ok {
		enough = match == "any"
		if match != "any" && match != "all" && match != "none" {
			b.report(b.rangeOf("match"), "Unknown match", "%q is any (one matching object suffices), all (every one must hold) or none (there may be none that does), not %q.", "match", match)
		} else if match != "none" && selector == nil && name != nil {
			b.report(b.syntax.Attributes["match"].NameRange, "Conflicting attributes", "%q goes with a selector; a name matches one object.", "match")
		}
	}
	return o, enough
}

// clear decodes a clear block.
func (b *block) clear(at *hclsyntax.Block) Objects {
	b.labels(at)
	inner := b.open(at.Body, "the clear block", header(at), b.scope, shape{
		attributes: []string{"kind", "name", "selector", "namespace"},
		required:   []string{"kind"},
	})
	o, _ := inner.objects()
	return o
}

// expression returns an attribute's expression unevaluated, and its text.
func (b *block) expression(name string, s *scope) (hcl.Expression, string) {
	attribute := b.syntax.Attributes[name]
	if attribute == nil {
		return nil, ""
	}
	b.checkCondition(attribute.Expr, s)
	rng := attribute.Expr.Range()
	return attribute.Expr, string(rng.SliceBytes(b.files[rng.Filename]))
}

// hint decodes a hint block.
func (b *block) hint(at *hclsyntax.Block) Hint {
	inner := b.open(at.Body, "a hint", header(at), b.scope, shape{
		attributes: []string{"text"},
		required:   []string{"text"},
		blocks:     []string{"when"},
	})
	b.labels(at)
	h := Hint{Text: inner.prose("text")}
	if when := inner.single("when"); when != nil {
		b.labels(when)
		h.When = inner.condition(when, "", false)
		h.When.Name = "when"
		if len(h.When.Probes) > 0 {
			b.report(h.When.Range, "Probes here", "A hint is chosen without probing. Ask about objects.")
		}
	}
	return h
}
