package labfile

import (
	"fmt"
	"runtime/debug"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// generalize turns the tuples that HCL makes of [ … ] into lists where their elements have a
// common type, so that another list of another length is of the same type.
func generalize(v cty.Value) cty.Value {
	if v.IsNull() || !v.Type().IsTupleType() {
		return v
	}
	if v.LengthInt() == 0 {
		return cty.ListValEmpty(cty.DynamicPseudoType)
	}
	types := v.Type().TupleElementTypes()
	common, _ := convert.UnifyUnsafe(types)
	if common == cty.NilType || common == cty.DynamicPseudoType {
		return v
	}
	converted, err := convert.Convert(v, cty.List(common))
	if err != nil {
		return v
	}
	return converted
}

// rescue turns a panic, which would be a bug in labctl or in a library, into a problem of the file
// that caused it: a tool that is about to touch clusters must not die on its input.
func rescue(src Source, give func(hcl.Diagnostics)) {
	cause := recover()
	if cause == nil {
		return
	}
	give(hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "labctl cannot read this file",
		Detail:   fmt.Sprintf("This is a bug in labctl; please report it with the file. %v\n%s", cause, debug.Stack()),
		Subject:  &hcl.Range{Filename: src.Name, Start: hcl.InitialPos, End: hcl.InitialPos},
	}})
}
