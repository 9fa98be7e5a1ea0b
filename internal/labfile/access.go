package labfile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Access is what a subject may do and what not, as the API server decides it.
type Access struct {
	As     string   // "system:serviceaccount:shop:reader", or a user's name
	Groups []string // those included that every subject of its kind is in
	May    []Permission
	MayNot []Permission
}

// Permission is one thing to be allowed or not: "get pods/log named web in shop".
type Permission struct {
	Text                                string // as written
	Verb, Resource, Subresource, Object string
	Group                               string // of the resource's API; empty where the cluster is to say
	Namespace                           string // "" in all of them
}

var (
	permission = regexp.MustCompile(`^(\*|[a-z]+) (\*|[a-z][a-z0-9]*)((?:\.[a-z0-9-]+)*)(?:/([a-z]+|\*))?(?: named ([^ ]+))?(?: in (\*|[a-z0-9-]+))?$`)
	account    = regexp.MustCompile(`^system:serviceaccount:([a-z0-9-]+):([a-z0-9.-]+)$`)
)

// maxPermissions bounds how many questions one look asks the API server for one block.
const maxPermissions = 50

// allowed is what the condition of an access block asks of each permission.
var allowed = mustExpression("self.allowed == self.wanted")

func mustExpression(text string) hcl.Expression {
	expr, diags := hclsyntax.ParseExpression([]byte(text), "", hcl.InitialPos)
	if diags.HasErrors() {
		panic(diags)
	}
	return expr
}

// access decodes the access blocks of a symptom or solved block, each as a condition.
func (b *block) access() (all []*Condition) {
	for _, at := range b.each("access") {
		name := ""
		if b.labels(at, "name") {
			name = at.Labels[0]
			b.checkName(at.LabelRanges[0], "access", name)
		}
		inner := b.open(at.Body, fmt.Sprintf("access %q", name), header(at), b.scope, shape{
			attributes: []string{"says", "as", "groups", "may", "not"}, required: []string{"as", "may"},
		})
		a := Access{}
		a.As, _ = inner.text("as")
		groups, _ := inner.texts("groups")
		a.Groups = inner.subject(a.As, groups)
		a.May, a.MayNot = inner.permissions("may"), inner.permissions("not")
		if may, ok := inner.texts("may"); ok && len(may) == 0 && inner.syntax.Attributes["may"] != nil {
			inner.report(inner.rangeOf("may"), "Empty list", "There must be something that %q may do: that somebody may not do a thing says nothing of a subject who may do none.", a.As)
		}
		if len(a.May)+len(a.MayNot) > maxPermissions {
			inner.report(header(at), "Too many permissions", "An access block has at most %d.", maxPermissions)
		}
		c := &Condition{Name: name, Says: inner.prose("says"), Evidence: a, Holds: allowed, HoldsSource: "self.allowed == self.wanted", Range: header(at)}
		if c.Says == "" {
			c.Says = a.says()
		}
		all = append(all, c)
	}
	return all
}

// says is what it means when the access is as it should be.
func (a Access) says() string {
	list := func(permissions []Permission) string {
		var texts []string
		for _, p := range permissions {
			texts = append(texts, p.Text)
		}
		return strings.Join(texts, ", ")
	}
	says := a.As + " may " + list(a.May)
	if len(a.MayNot) > 0 {
		says += ", and not " + list(a.MayNot)
	}
	return says
}

func (b *block) permissions(attribute string) (all []Permission) {
	texts, _ := b.texts(attribute)
	for _, text := range texts {
		parts := permission.FindStringSubmatch(text)
		if parts == nil {
			b.report(b.rangeOf(attribute), "Invalid permission", "%q is not written VERB RESOURCE, such as \"list pods\", \"get pods/log named web in shop\" or \"create deployments.apps in *\".", text)
			continue
		}
		p := Permission{
			Text: text, Verb: parts[1], Resource: parts[2], Group: strings.TrimPrefix(parts[3], "."),
			Subresource: parts[4], Object: parts[5], Namespace: parts[6],
		}
		switch p.Namespace {
		case "":
			p.Namespace = "default"
		case "*":
			p.Namespace = ""
		}
		if slices.ContainsFunc(all, func(other Permission) bool { return other.Text == text }) {
			b.report(b.rangeOf(attribute), "Duplicate permission", "%q stands there twice.", text)
		}
		all = append(all, p)
	}
	return all
}
