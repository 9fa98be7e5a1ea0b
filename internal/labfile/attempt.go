package labfile

import (
	"fmt"
	"slices"
	"strings"
)

// Attempt is what the API server lets in and what not.
type Attempt struct {
	As     string   // who tries; empty for the cluster's administrator
	Groups []string // of the one who tries, those included that every subject of its kind is in
	// Refused are the objects that must not be let in, for a reason in which the text Because stands. Admitted are the
	// controls: others of the same kind that must be let in, without which a refusal says nothing.
	Refused, Admitted []map[string]any
	Because           string
	paths             []string
}

const (
	// maxOffers bounds how many objects one look offers to the API server for one block.
	maxOffers = 20
	// maxBecause bounds the text that a refusal is told by.
	maxBecause = 500
)

var (
	// admitted is what the condition of an attempt block asks of each object.
	admitted = mustExpression("self.admitted == self.wanted")
	// anotherReason is where it cannot be told: what refuses first hides what would refuse next.
	anotherReason = mustExpression("!self.admitted && !self.wanted && !strcontains(self.message, self.because)")
)

// attempts decodes the attempt blocks of a symptom or solved block, each as a condition.
func (b *block) attempts(d *Definition) (all []*Condition) {
	for _, at := range b.each("attempt") {
		name := ""
		if b.labels(at, "name") {
			name = at.Labels[0]
			b.checkName(at.LabelRanges[0], "attempt", name)
		}
		inner := b.open(at.Body, fmt.Sprintf("attempt %q", name), header(at), b.scope, shape{
			attributes: []string{"says", "as", "groups", "refused", "because", "admitted"}, required: []string{"refused", "because", "admitted"},
		})
		a := Attempt{}
		if as, set := inner.text("as"); set {
			groups, _ := inner.texts("groups")
			a.As, a.Groups = as, inner.subject(as, groups)
		} else if groups := at.Body.Attributes["groups"]; groups != nil {
			inner.report(groups.NameRange, "Missing attribute", "%q goes with %q: the cluster's administrator tries unless that is said.", "groups", "as")
		}
		a.Refused, a.Admitted = inner.offers(d, "refused", &a.paths), inner.offers(d, "admitted", &a.paths)
		if len(a.Refused)+len(a.Admitted) > maxOffers {
			inner.report(header(at), "Too many objects", "An attempt offers at most %d objects.", maxOffers)
		}
		if because, set := inner.text("because"); set && (strings.TrimSpace(because) == "" || len(because) > maxBecause) {
			inner.report(inner.rangeOf("because"), "Invalid text", "%q is a text of 1 to %d bytes that stands in the API server's refusal, such as \"violates PodSecurity\".", "because", maxBecause)
		} else {
			a.Because = because
		}
		c := &Condition{
			Name: name, Says: inner.prose("says"), Evidence: a, Holds: admitted, HoldsSource: "self.admitted == self.wanted", Range: header(at),
			InconclusiveIf: anotherReason, InconclusiveIfSource: "!self.admitted && !self.wanted && !strcontains(self.message, self.because)",
		}
		if c.Says == "" {
			c.Says = a.says()
		}
		all = append(all, c)
	}
	return all
}

// offers renders the manifests that an attribute names, and adds their paths to those given.
func (b *block) offers(d *Definition, attribute string, paths *[]string) (all []map[string]any) {
	names, ok := b.texts(attribute)
	if !ok {
		return nil
	}
	if len(names) == 0 {
		why := "what has to be refused"
		if attribute == "admitted" {
			why = "what has to be let in: where nothing is let in, a refusal says nothing"
		}
		b.report(b.rangeOf(attribute), "Empty list", "%q names the manifests of %s.", attribute, why)
	}
	for _, name := range names {
		if slices.Contains(*paths, name) {
			b.report(b.rangeOf(attribute), "Duplicate manifest", "%q cannot be both refused and let in.", name)
		}
	}
	seed := &Seed{Manifests: names, Verbatim: d.Seed != nil && d.Seed.Verbatim}
	for _, m := range b.renderAll(d.Files, seed, b.rangeOf(attribute), b.scope.roots["input"]) {
		all = append(all, m.Objects...)
	}
	*paths = append(*paths, names...)
	return all
}

// says is what it means when all is let in or refused as it should be.
func (a Attempt) says() string {
	list := func(objects []map[string]any) string {
		var names []string
		for _, o := range objects {
			name := ""
			if metadata, is := o["metadata"].(map[string]any); is {
				name, _ = metadata["name"].(string)
			}
			names = append(names, strings.ToLower(fmt.Sprint(o["kind"]))+"/"+name)
		}
		return strings.Join(names, ", ")
	}
	says := list(a.Refused) + " would be refused, and " + list(a.Admitted) + " let in"
	if a.As != "" {
		says += ", when " + a.As + " tries"
	}
	return says
}

// subject returns the groups of a subject, with those that the API server puts every one of its kind in.
func (b *block) subject(as string, groups []string) []string {
	if at := account.FindStringSubmatch(as); at != nil {
		groups = append(groups, "system:serviceaccounts", "system:serviceaccounts:"+at[1])
	} else if strings.HasPrefix(as, "system:serviceaccount:") {
		b.report(b.rangeOf("as"), "Invalid subject", "A service account is written system:serviceaccount:NAMESPACE:NAME.")
	}
	if as == "system:anonymous" {
		return append(groups, "system:unauthenticated")
	}
	return append(groups, "system:authenticated")
}

// offered are the files that attempts of a definition offer.
func (d *Definition) offered() (all []string) {
	conditions := d.Symptom
	if d.Solved != nil {
		conditions = slices.Concat(conditions, d.Solved.Conditions)
	}
	for _, c := range conditions {
		if a, is := c.Evidence.(Attempt); is {
			all = append(all, a.paths...)
		}
	}
	return all
}
