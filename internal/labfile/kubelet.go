package labfile

import (
	"math/big"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// kubelet decodes the kubelet block: any field of a KubeletConfiguration, as an attribute. labctl
// does not know the fields; the kubelet does.
func (b *block) kubelet(at *hclsyntax.Block) map[string]any {
	b.labels(at)
	for _, inner := range at.Body.Blocks {
		b.report(inner.TypeRange, "An attribute, not a block", "Kubelet settings are attributes: write %s = { … }.", inner.Type)
	}
	inner := &block{collector: b.collector, scope: b.scope, what: "the kubelet block", at: header(at), syntax: at.Body}
	settings := map[string]any{}
	for name, attribute := range at.Body.Attributes {
		if name == "apiVersion" || name == "kind" {
			b.report(attribute.NameRange, "Reserved setting", "%q is set by labctl.", name)
			continue
		}
		if value, _, ok := inner.value(name); ok {
			settings[name] = plain(value)
		}
	}
	return settings
}

// plain turns a value into what encoding/json would make of it, but whole numbers into int64.
// Nulls within objects and lists stay nil.
func plain(v cty.Value) any {
	switch {
	case v.IsNull() || !v.IsKnown():
		return nil
	case v.Type() == cty.String:
		return v.AsString()
	case v.Type() == cty.Bool:
		return v.True()
	case v.Type() == cty.Number:
		if n, accuracy := v.AsBigFloat().Int64(); accuracy == big.Exact {
			return n
		}
		f, _ := v.AsBigFloat().Float64()
		return f
	case v.Type().IsObjectType() || v.Type().IsMapType():
		all := map[string]any{}
		for key, element := range v.AsValueMap() {
			all[key] = plain(element)
		}
		return all
	case v.CanIterateElements():
		all := []any{}
		for _, element := range v.AsValueSlice() {
			all = append(all, plain(element))
		}
		return all
	}
	return nil
}
