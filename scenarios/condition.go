package scenarios

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// evaluator evaluates conditions on what was seen of a cluster.
type evaluator struct {
	snapshot kube.Snapshot
	nodes    map[string]*unstructured.Unstructured
	// nodesErr is why the nodes are not known.
	nodesErr error
	// scenario is its name; answers are what its learner has typed.
	scenario string
	answers  map[string][]string
	// live are the objects that conditions can compare with.
	live []*labfile.Object
	// base holds input, seed and seeded, and the functions.
	base *hcl.EvalContext
	// now is the API server's clock; since are the streaks of conditions on probes, nil where none are kept.
	now   time.Time
	since streaks
	// seen are the sightings so far; with learn, what is seen to hold is added.
	seen  sightings
	learn bool
}

// findAll answers conditions of one role.
func (e *evaluator) findAll(role string, conditions []*labfile.Condition) (all []Finding) {
	for _, c := range conditions {
		all = append(all, e.find(role, c))
	}
	return all
}

// find answers one condition.
func (e *evaluator) find(role string, c *labfile.Condition) Finding {
	f := Finding{Role: role, Name: c.Name, Says: c.Says, Expression: c.HoldsSource}
	e.answer(c, &f)
	e.count(c, f)
	return f
}

// answer fills in the verdict and what it rests on.
func (e *evaluator) answer(c *labfile.Condition, f *Finding) {
	base, missing, trouble := e.withProbes(c)
	if trouble == nil && missing == "" {
		base, missing, trouble = e.withLive(c, base)
	}
	f.Said = e.said(c)
	var objs []*unstructured.Unstructured
	if trouble == nil && c.Evidence != nil {
		objs, trouble = e.objects(c)
	}
	if trouble != nil {
		f.Verdict, f.Reason, f.unprobed = Inconclusive, trouble.Error(), errors.Is(trouble, errUnprobed)
		return
	}
	switch {
	case missing != "":
		f.Verdict, f.Reason = DoesNotHold, missing
		return
	case c.Evidence == nil:
		f.Objects = []Object{e.onlyProbes(c, base)}
	case c.None:
		f.Verdict, f.Reason = e.none(c, objs, base)
		return
	case len(objs) == 0:
		f.Verdict, f.Reason = DoesNotHold, "there is no "+sourceOf(c).String()
		return
	}
	for _, obj := range objs {
		f.Objects = append(f.Objects, e.object(c, obj, base))
	}
	f.Verdict, f.Reason = together(f.Objects, c.Any)
}

// together makes one verdict of those on the single objects.
func together(objects []Object, enough bool) (Verdict, string) {
	wanted := []Verdict{DoesNotHold, Inconclusive}
	if enough {
		wanted = []Verdict{Holds, Inconclusive, DoesNotHold}
	}
	for _, v := range wanted {
		for _, o := range objects {
			if o.Verdict == v {
				return v, o.Reason
			}
		}
	}
	return Holds, ""
}

// objects returns the live objects that a condition asks about.
func (e *evaluator) objects(c *labfile.Condition) ([]*unstructured.Unstructured, error) {
	if asked, typed := c.Evidence.(labfile.Answer); typed {
		return []*unstructured.Unstructured{answer(asked).object(e.scenario, e.answers)}, nil
	}
	from := sourceOf(c).query()
	u := e.snapshot[from]
	switch {
	case c.None && isUnknownKind(u.Err):
		return nil, vacuous(u.Err)
	case u.Err != nil && !isUnknownKind(u.Err):
		return nil, u.Err
	case !u.Synced:
		return nil, fmt.Errorf("%s: not seen yet", from)
	case c.None: // what is going is there until it is gone
		return notProbes(u.Objects), nil
	}
	return counted(c, u.Objects), nil
}

// ownWords are the kinds of evidence that say themselves what they show.
var ownWords = []string{"Access", "Attempt", "Answer"}

// ownReason is what evidence of one of those kinds says of itself; empty for the cluster's objects.
func ownReason(obj *unstructured.Unstructured) string {
	says, _ := obj.Object["says"].(string)
	if !slices.Contains(ownWords, obj.GetKind()) {
		return ""
	}
	return says
}

// object answers a condition for one object.
func (e *evaluator) object(c *labfile.Condition, obj *unstructured.Unstructured, base *hcl.EvalContext) Object {
	ctx := base.NewChild()
	ctx.Variables = map[string]cty.Value{"self": toValue(obj.Object)}
	o := Object{Ref: refOf(obj), UID: string(obj.GetUID()), Values: references(c.Holds, c.HoldsSource, ctx)}

	if why := stale(obj, e.nodes); why != "" {
		if e.nodesErr != nil {
			why = e.nodesErr.Error()
		}
		o.Verdict, o.Reason = Inconclusive, why
		return o
	}
	yes, why := truth(c.Holds, ctx)
	fault := cmp.Or(outside(obj), e.outsideLive(c))
	if c.InconclusiveIf != nil {
		if is, _ := truth(c.InconclusiveIf, ctx); is {
			yes, fault = false, o.Ref+" shows a fault outside the exercise"
			o.Values = append(o.Values, references(c.InconclusiveIf, c.InconclusiveIfSource, ctx)...)
		}
	}
	switch {
	case yes:
		o.Verdict = Holds
		if c.Sticky && e.learn {
			e.seen.add(c.Name, obj)
		}
	case c.Sticky && e.seen.has(c.Name, obj):
		o.Verdict, o.Sticky = Holds, true
	case fault != "":
		o.Verdict, o.Reason = Inconclusive, cmp.Or(ownReason(obj), fault)
	default:
		o.Verdict, o.Reason = DoesNotHold, explain(c, ctx, why)
		if !strings.HasPrefix(o.Reason, o.Ref) {
			o.Reason = o.Ref + ": " + o.Reason
		}
		o.Reason = cmp.Or(ownReason(obj), o.Reason)
	}
	return o
}

// truth evaluates an expression that asks a yes-or-no question. Whatever goes wrong (a field that
// is not there, a null, a value of another type) makes the answer no, with why: objects come
// from a cluster and can lack anything. It never panics.
func truth(expr hcl.Expression, ctx *hcl.EvalContext) (yes bool, why string) {
	v, why := evaluate(expr, ctx)
	if why != "" {
		return false, why
	}
	v, err := convert.Convert(v, cty.Bool)
	if err != nil {
		return false, "it is neither true nor false"
	}
	if !v.IsKnown() || v.IsNull() {
		return false, "it has no value"
	}
	return v.True(), ""
}

// missing says why an expression has no value: the first reference that leads nowhere, else HCL's
// own words.
func missing(expr hcl.Expression, ctx *hcl.EvalContext, diags hcl.Diagnostics) string {
	for _, t := range expr.Variables() {
		if v := resolve(t, ctx); v.Missing {
			return v.Is
		}
	}
	d := diags[0]
	return strings.TrimSuffix(strings.ReplaceAll(d.Detail, "\n", " "), ".")
}

// evaluate returns an expression's value, or why it has none.
func evaluate(expr hcl.Expression, ctx *hcl.EvalContext) (v cty.Value, why string) {
	defer func() {
		if r := recover(); r != nil {
			why = fmt.Sprintf("it could not be evaluated: %v", r)
		}
	}()
	v, diags := expr.Value(ctx)
	if diags.HasErrors() {
		return cty.NilVal, missing(expr, ctx, diags)
	}
	v, _ = v.UnmarkDeep()
	return v, ""
}
