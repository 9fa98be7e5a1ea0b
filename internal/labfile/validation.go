package labfile

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// validation decodes a validation block of an input.
func (b *block) validation(at *hclsyntax.Block, name string) Validation {
	b.labels(at)
	inner := b.open(at.Body, "the validation block", header(at), b.scope, shape{
		attributes: []string{"condition", "error_message"}, required: []string{"condition", "error_message"},
	})
	v := Validation{Message: inner.prose("error_message")}
	known := &scope{roots: map[string]map[string]cty.Value{"input": {name: cty.DynamicVal}}, elsewhere: b.scope.elsewhere, calls: b.scope.calls}
	before := len(b.diags)
	if attribute := at.Body.Attributes["condition"]; attribute != nil && !b.checkBounds(attribute.Expr) {
		return v
	}
	if condition, _ := inner.expression("condition", known); len(b.diags) == before {
		v.Condition = condition
	}
	return v
}

// validate reports values that their inputs do not take; at says where one stands, and whether it is to be looked at.
func (c *collector) validate(inputs []Input, values map[string]cty.Value, at func(Input) (hcl.Range, bool)) {
	for _, input := range inputs {
		rng, looked := at(input)
		if !looked {
			continue
		}
		ctx := &hcl.EvalContext{Variables: map[string]cty.Value{"input": cty.ObjectVal(map[string]cty.Value{input.Name: values[input.Name]})}, Functions: c.calls}
		for _, v := range input.Validations {
			if v.Condition == nil || v.Message == "" {
				continue
			}
			message := v.Message
			is, diags := v.Condition.Value(ctx)
			if !diags.HasErrors() {
				is, _ = is.UnmarkDeep()
				switch truth, err := convert.Convert(is, cty.Bool); {
				case err != nil || truth.IsNull():
					message += " (its condition is neither true nor false)"
				case !truth.IsKnown() || truth.True(): // unknown of a default that is broken, which is said
					continue
				}
			} else {
				message += " (" + strings.TrimSuffix(diags[0].Detail, ".") + ")"
			}
			c.report(rng, "Invalid value", "The input %q: %s", input.Name, message)
		}
	}
}
