package labfile

import (
	"errors"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

const (
	// maxExponent bounds numbers to what others hold in 64 bits. Written out, one with an exponent of
	// millions takes minutes and all memory.
	maxExponent = 1024
	// maxDigits is how long a number may be in a file, and a variable's when it is written into one.
	maxDigits = 100
)

var errNumber = errors.New("the number is too large or too small")

// extreme reports whether v is a number that nobody should write out.
func extreme(v cty.Value) bool {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() || v.Type() != cty.Number {
		return false
	}
	f := v.AsBigFloat()
	exponent := f.MantExp(nil)
	return f.IsInf() || exponent > maxExponent || exponent < -maxExponent
}

// longNumber reports whether v holds a number that a file could not.
func longNumber(v cty.Value) bool {
	found := false
	_ = cty.Walk(v, func(_ cty.Path, inner cty.Value) (bool, error) {
		if !inner.IsNull() && inner.IsKnown() && inner.Type() == cty.Number {
			found = found || extreme(inner) || len(inner.AsBigFloat().Text('f', -1)) > maxDigits
		}
		return !found, nil
	})
	return found
}

// boundNumbers makes the arithmetic below a node fail on extreme numbers. They come about by squaring
// again and again, and by texts such as "1e99999999", which are numbers where one is needed.
func boundNumbers(node hclsyntax.Node) {
	bounded := map[*hclsyntax.Operation]*hclsyntax.Operation{}
	for _, op := range []*hclsyntax.Operation{
		hclsyntax.OpAdd, hclsyntax.OpSubtract, hclsyntax.OpMultiply, hclsyntax.OpDivide, hclsyntax.OpModulo, hclsyntax.OpNegate,
	} {
		bounded[op] = &hclsyntax.Operation{Type: op.Type, Impl: boundedArithmetic(op.Impl)}
	}
	walk(node, func(n hclsyntax.Node) {
		switch e := n.(type) {
		case *hclsyntax.BinaryOpExpr:
			if op := bounded[e.Op]; op != nil {
				e.Op = op
			}
		case *hclsyntax.UnaryOpExpr:
			if op := bounded[e.Op]; op != nil {
				e.Op = op
			}
		}
	})
}

func boundedArithmetic(f function.Function) function.Function {
	return function.New(&function.Spec{
		Params: f.Params(),
		Type:   function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			for _, arg := range args {
				if extreme(arg) {
					return cty.NilVal, errNumber
				}
			}
			result, err := f.Call(args)
			if err == nil && extreme(result) {
				return cty.NilVal, errNumber
			}
			return result, err
		},
	})
}
