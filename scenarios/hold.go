package scenarios

import (
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/labfile"
)

// heldSince returns since when the objects of the conditions are as they are, by the clocks in
// the cluster: the latest edit, start or end of a container, or change of a status condition. A
// container that restarts starts the time anew, so a crash loop cannot pass in the moment after a
// restart; so does a condition that has turned, to True or to False: what was true for a moment in
// between has not held. The times have whole seconds: what has held for N seconds may have held for
// nearly one less.
func (e *evaluator) heldSince(conditions []*labfile.Condition) time.Time {
	var latest time.Time
	for _, c := range conditions {
		e.each([]*labfile.Condition{c}, func(obj *unstructured.Unstructured) {
			latest = later(latest, edited(obj))
			for _, list := range []string{"initContainerStatuses", "containerStatuses"} {
				statuses, _, _ := unstructured.NestedSlice(obj.Object, "status", list)
				for _, s := range statuses {
					status, _ := s.(map[string]any)
					began, _, _ := unstructured.NestedString(status, "state", "running", "startedAt")
					ended, _, _ := unstructured.NestedString(status, "state", "terminated", "finishedAt")
					latest = later(later(latest, parseTime(began)), parseTime(ended))
				}
			}
			for _, condition := range usedConditions(c.Holds, obj) {
				at, _ := condition["lastTransitionTime"].(string)
				latest = later(latest, parseTime(at))
			}
		})
	}
	return latest
}

// usedConditions returns those of an object's status conditions that an expression rests on: the ones
// whose type it names (c.type == "Ready"); all where it looks at the status and names none, since they
// date changes that the rest of the status does not; none where it does not look at the status.
func usedConditions(expr hcl.Expression, obj *unstructured.Unstructured) (used []map[string]any) {
	looks := slices.ContainsFunc(expr.Variables(), func(t hcl.Traversal) bool { return spell(t) == "self" })
	if !looks && !refersTo(expr, "self.status") {
		return nil
	}
	words := literals(expr)
	var all []map[string]any
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		all = append(all, condition)
		if kind, _ := condition["type"].(string); words[kind] {
			used = append(used, condition)
		}
	}
	if len(used) > 0 {
		return used
	}
	return all
}

// literals returns the texts that are written out in an expression.
func literals(expr hcl.Expression) map[string]bool {
	words := map[string]bool{}
	if node, ok := expr.(hclsyntax.Expression); ok {
		_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
			if lit, is := n.(*hclsyntax.LiteralValueExpr); is && lit.Val.Type() == cty.String && !lit.Val.IsNull() {
				words[lit.Val.AsString()] = true
			}
			return nil
		})
	}
	return words
}

// touched returns when the objects of the conditions were last made or edited.
func (e *evaluator) touched(conditions []*labfile.Condition) time.Time {
	var latest time.Time
	e.each(conditions, func(obj *unstructured.Unstructured) { latest = later(latest, edited(obj)) })
	return latest
}

func (e *evaluator) each(conditions []*labfile.Condition, do func(*unstructured.Unstructured)) {
	for _, c := range conditions {
		objs, _ := e.objects(c) // none that are not known
		for _, obj := range objs {
			do(obj)
		}
	}
}

// edited returns when an object was made, or somebody last changed what it asks for. Writes to its
// status do not count.
func edited(obj *unstructured.Unstructured) time.Time {
	latest := obj.GetCreationTimestamp().Time
	for _, f := range obj.GetManagedFields() {
		if f.Subresource == "" && f.Time != nil {
			latest = later(latest, f.Time.Time)
		}
	}
	return latest
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func parseTime(s string) time.Time {
	var t metav1.Time
	if err := t.UnmarshalQueryParameter(s); err != nil {
		return time.Time{}
	}
	return t.Time
}
