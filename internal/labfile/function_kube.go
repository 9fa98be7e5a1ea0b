package labfile

import (
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	"k8s.io/apimachinery/pkg/api/resource"
)

// kubeFunctions are those that speak of Kubernetes' own forms of value.
func kubeFunctions() map[string]function.Function {
	all := map[string]function.Function{
		"base64decode": textFunc(cty.String, decodeBase64),
		"ceil":         stdlib.CeilFunc,
		"floor":        stdlib.FloorFunc,
		"jsondecode":   textFunc(cty.DynamicPseudoType, decodeJSON),
		"percent":      percentFunc(),
		"quantity":     quantityFunc(),
		"requests":     requestsFunc(),
		"x509":         textFunc(certificateType, decodeCertificate),
		"yamldecode":   textFunc(cty.DynamicPseudoType, decodeYAML),
	}
	maps.Copy(all, Explaining(func(string) {}))
	return all
}

// amount reads a number or a quantity in Kubernetes' form: "500m", "1Gi", 2.
func amount(v cty.Value) (resource.Quantity, error) {
	v, _ = v.Unmark()
	written := ""
	switch {
	case v.IsNull():
		return resource.Quantity{}, fmt.Errorf("it is null")
	case v.Type() == cty.Number && extreme(v):
		return resource.Quantity{}, errNumber
	case v.Type() == cty.Number:
		written = v.AsBigFloat().Text('f', -1)
	case v.Type() == cty.String:
		// Written out, a number with an exponent of nine digits fills the memory.
		const longest = 64
		written = v.AsString()
		if _, exponent, _ := strings.Cut(strings.ToLower(written), "e"); len(written) > longest || len(strings.TrimLeft(exponent, "+-0")) > 2 {
			return resource.Quantity{}, fmt.Errorf("it is no quantity such as 500m or 1Gi")
		}
	default:
		return resource.Quantity{}, fmt.Errorf("a text or a number is needed")
	}
	q, err := resource.ParseQuantity(written)
	if err != nil {
		return resource.Quantity{}, fmt.Errorf("%q is no quantity such as 500m or 1Gi", written)
	}
	return q, nil
}

// quantityFunc is quantity(value): the number that a quantity means, so that "0.5" and "500m" are the same.
func quantityFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType}},
		Type:   function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if v, _ := args[0].Unmark(); v.Type() == cty.Number {
				return v, nil // also with more digits than a quantity has
			}
			q, err := amount(args[0])
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.ParseNumberVal(q.AsDec().String())
		},
	})
}

// percentage is what stands in fields such as maxUnavailable. Other forms of numbers, infinity among them, do not.
var percentage = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,9})?%?$`)

// percentFunc is percent(value, total): a number as it is, "25%" as that part of total, not rounded: Kubernetes rounds
// maxSurge up and maxUnavailable down.
func percentFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType}, {Name: "total", Type: cty.Number}},
		Type:   function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, _ := args[0].Unmark()
			if v.IsNull() || v.Type() != cty.String && v.Type() != cty.Number {
				return cty.NilVal, function.NewArgErrorf(0, "a number or a percentage is needed")
			}
			if v.Type() == cty.Number {
				return v, nil
			}
			if !percentage.MatchString(v.AsString()) {
				return cty.NilVal, function.NewArgErrorf(0, "%q is neither a number nor a percentage", v.AsString())
			}
			number, is := strings.CutSuffix(v.AsString(), "%")
			part, err := cty.ParseNumberVal(number)
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			if !is {
				return part, nil
			}
			return part.Multiply(args[1]).Divide(cty.NumberIntVal(100)), nil
		},
	})
}
