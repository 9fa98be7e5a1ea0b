package scenarios

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// truth evaluates an expression that asks a yes-or-no question. Whatever goes wrong (a field that
// is not there, a null, a value of another type) makes the answer no, with why: objects come
// from a cluster and can lack anything. It never panics.
func truth(expr hcl.Expression, ctx *hcl.EvalContext) (yes bool, why string) {
	defer func() {
		if r := recover(); r != nil {
			yes, why = false, fmt.Sprintf("it could not be evaluated: %v", r)
		}
	}()
	v, diags := expr.Value(ctx)
	if diags.HasErrors() {
		return false, missing(expr, ctx, diags)
	}
	v, _ = v.UnmarkDeep()
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
	for _, v := range references(expr, ctx) {
		if v.Missing {
			return v.Is
		}
	}
	d := diags[0]
	return strings.TrimSuffix(strings.ReplaceAll(d.Detail, "\n", " "), ".")
}

// references returns the value of each reference in an expression, once each, in their order.
func references(expr hcl.Expression, ctx *hcl.EvalContext) []Value {
	var values []Value
	seen := map[string]bool{}
	for _, t := range expr.Variables() {
		v := resolve(t, ctx)
		if !seen[v.Of] {
			seen[v.Of] = true
			values = append(values, v)
		}
	}
	return values
}

func resolve(t hcl.Traversal, ctx *hcl.EvalContext) (value Value) {
	value.Of = spell(t)
	defer func() {
		if r := recover(); r != nil {
			value.Missing, value.Is = true, fmt.Sprint(r)
		}
	}()
	for n := 2; n <= len(t); n++ {
		if _, diags := t[:n].TraverseAbs(ctx); diags.HasErrors() {
			value.Missing, value.Is = true, lacks(t[:n], ctx)
			return value
		}
	}
	v, diags := t.TraverseAbs(ctx)
	if diags.HasErrors() {
		value.Missing, value.Is = true, diags[0].Detail
		return value
	}
	value.Is = show(v)
	return value
}

// lacks says why the last step of a traversal fails.
func lacks(t hcl.Traversal, ctx *hcl.EvalContext) string {
	parent, step := t[:len(t)-1], t[len(t)-1]
	of := spell(parent)
	v, diags := parent.TraverseAbs(ctx)
	if diags.HasErrors() || v.IsNull() {
		return of + " is null"
	}
	switch s := step.(type) {
	case hcl.TraverseAttr:
		if v.Type().IsObjectType() || v.Type().IsMapType() {
			return fmt.Sprintf("%s has no %q", of, s.Name)
		}
	case hcl.TraverseIndex:
		if s.Key.Type() == cty.String && v.Type().IsObjectType() {
			return fmt.Sprintf("%s has no %q", of, s.Key.AsString())
		}
		if s.Key.Type() == cty.Number && v.Type().IsTupleType() {
			return fmt.Sprintf("%s has no element %s, but %d in all", of, show(s.Key), v.LengthInt())
		}
	}
	return fmt.Sprintf("%s is %s, which has no such part as %s", of, show(v), strings.TrimPrefix(spell(t), of))
}

// spell writes a traversal as it stands in a definition.
func spell(t hcl.Traversal) string {
	var b strings.Builder
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(s.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + s.Name)
		case hcl.TraverseIndex:
			b.WriteString("[" + show(s.Key) + "]")
		case hcl.TraverseSplat:
			b.WriteString("[*]")
		}
	}
	return b.String()
}

// clause is one of the parts that a && b && c consists of.
type clause struct {
	expr   hcl.Expression
	source string
}

// clauses splits an expression at its outermost && operators, so that a failing check can name
// the part that fails.
func clauses(expr hcl.Expression, source string) []clause {
	start := expr.Range().Start.Byte
	var parts []clause
	var split func(e hcl.Expression)
	split = func(e hcl.Expression) {
		if paren, ok := e.(*hclsyntax.ParenthesesExpr); ok {
			if inner, is := paren.Expression.(*hclsyntax.BinaryOpExpr); is && inner.Op == hclsyntax.OpLogicalAnd {
				e = inner
			}
		}
		if op, ok := e.(*hclsyntax.BinaryOpExpr); ok && op.Op == hclsyntax.OpLogicalAnd {
			split(op.LHS)
			split(op.RHS)
			return
		}
		from, to := e.Range().Start.Byte-start, e.Range().End.Byte-start
		if from < 0 || to > len(source) || from > to {
			from, to = 0, len(source)
		}
		parts = append(parts, clause{e, strings.Join(strings.Fields(source[from:to]), " ")})
	}
	split(expr)
	return parts
}

// mentions reports whether an expression refers to a path that begins with root and has the
// attribute last somewhere behind it.
func mentions(expr hcl.Expression, root, attr string) bool {
	if expr == nil {
		return false
	}
	for _, t := range expr.Variables() {
		if t.RootName() != root {
			continue
		}
		for _, step := range t[1:] {
			if a, ok := step.(hcl.TraverseAttr); ok && a.Name == attr {
				return true
			}
		}
	}
	return false
}
