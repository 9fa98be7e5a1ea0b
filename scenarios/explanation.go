package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/text"
	"github.com/labctl/labctl/internal/untrusted"
)

// explain says which part of a condition fails, and on which values.
func explain(c *labfile.Condition, ctx *hcl.EvalContext, why string) string {
	for _, part := range clauses(c.Holds, c.HoldsSource) {
		yes, lack := truth(part.expr, ctx)
		if yes {
			continue
		}
		need := fmt.Sprintf(", where %s is needed", text.Shorten(untrusted.Line(part.source), maxInSentence))
		if lack != "" {
			return lack + need
		}
		if says, alone := inWords(part.expr, ctx); alone {
			return says
		} else if says != "" {
			return says + need
		}
		var values []string
		for _, v := range references(part.expr, part.source, ctx) {
			v.Is = text.Shorten(v.Is, maxInSentence)
			values = append(values, v.String())
		}
		return strings.Join(values, ", ") + need
	}
	return why
}

// maxWhys is how many answers of functions that explain themselves one explanation holds.
const maxWhys = 3

// inWords is what the functions that an expression calls, in loops too, say about why they answer no; "" where none does.
// alone: the expression is such a call, so that there is no more to say.
func inWords(expr hcl.Expression, ctx *hcl.EvalContext) (says string, alone bool) {
	var whys []string
	more := 0
	explaining := labfile.Explaining(func(why string) {
		why = text.Shorten(untrusted.Line(why), 2*maxInSentence)
		switch {
		case slices.Contains(whys, why):
		case len(whys) == maxWhys:
			more++
		default:
			whys = append(whys, why)
		}
	})
	asked := ctx.NewChild()
	asked.Functions = explaining
	truth(expr, asked)
	says = strings.Join(whys, "; ")
	if more > 0 {
		says += fmt.Sprintf("; and %d more", more)
	}
	call, is := expr.(*hclsyntax.FunctionCallExpr)
	if is {
		_, is = explaining[call.Name]
	}
	return says, is && says != ""
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
