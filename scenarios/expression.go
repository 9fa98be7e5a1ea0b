package scenarios

import (
	"fmt"
	"slices"
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

// references returns the value of each reference in an expression, once each, in their order. Of a
// loop over a list it returns what the loop makes of it, not the whole list.
func references(expr hcl.Expression, source string, ctx *hcl.EvalContext) []Value {
	var values []Value
	add := func(v Value) {
		if !slices.ContainsFunc(values, func(have Value) bool { return have.Of == v.Of }) {
			values = append(values, v)
		}
	}
	node, ok := expr.(hclsyntax.Expression)
	if !ok {
		for _, t := range expr.Variables() {
			add(resolve(t, ctx))
		}
		return values
	}
	start := expr.Range().Start.Byte
	_ = hclsyntax.Walk(node, &referenceWalker{found: func(e hclsyntax.Expression) {
		if t, is := e.(*hclsyntax.ScopeTraversalExpr); is {
			add(resolve(t.Traversal, ctx))
			return
		}
		v := Value{Of: oneLine(cut(source, e.Range(), start))}
		if made, why := evaluate(e, ctx); why != "" {
			v.Missing, v.Is = true, why
		} else {
			v.Is = show(made)
		}
		add(v)
	}})
	return values
}

// referenceWalker finds references and loops, and does not look into loops: their variables have
// values only there.
type referenceWalker struct {
	found func(hclsyntax.Expression)
	loops int
}

func (w *referenceWalker) Enter(n hclsyntax.Node) hcl.Diagnostics {
	switch e := n.(type) {
	case *hclsyntax.ForExpr, *hclsyntax.SplatExpr:
		if w.loops++; w.loops == 1 {
			w.found(e.(hclsyntax.Expression))
		}
	case *hclsyntax.ScopeTraversalExpr:
		if w.loops == 0 {
			w.found(e)
		}
	}
	return nil
}

func (w *referenceWalker) Exit(n hclsyntax.Node) hcl.Diagnostics {
	switch n.(type) {
	case *hclsyntax.ForExpr, *hclsyntax.SplatExpr:
		w.loops--
	}
	return nil
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

// cut returns the part of a source that a range covers; base is where the source begins in its
// file.
func cut(source string, r hcl.Range, base int) string {
	from, to := r.Start.Byte-base, r.End.Byte-base
	if from < 0 || to > len(source) || from > to {
		return source
	}
	return source[from:to]
}

// oneLine writes a source without its line breaks and indentation.
func oneLine(source string) string { return strings.Join(strings.Fields(source), " ") }

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
	source string // as written, with its line breaks
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
		parts = append(parts, clause{e, cut(source, e.Range(), start)})
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
