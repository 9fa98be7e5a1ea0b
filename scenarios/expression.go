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
