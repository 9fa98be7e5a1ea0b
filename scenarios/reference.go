package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/labctl/labctl/internal/text"
	"github.com/labctl/labctl/internal/untrusted"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

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
		v := Value{Of: untrusted.Line(cut(source, e.Range(), start))}
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

// cut returns the part of a source that a range covers; base is where the source begins in its
// file.
func cut(source string, r hcl.Range, base int) string {
	from, to := r.Start.Byte-base, r.End.Byte-base
	if from < 0 || to > len(source) || from > to {
		return source
	}
	return source[from:to]
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

// How many columns of a value are shown: by itself, and in a sentence.
const (
	maxValue      = 240
	maxInSentence = 120
)

// toValue turns a part of an object, as encoding/json or the dynamic client reads it, into what
// expressions work on: objects and tuples, since the elements of Kubernetes' lists need not have
// one type. Anything else than JSON's types becomes its text.
func toValue(v any) cty.Value {
	switch v := v.(type) {
	case nil:
		return cty.NullVal(cty.DynamicPseudoType)
	case bool:
		return cty.BoolVal(v)
	case string:
		return cty.StringVal(v)
	case int64:
		return cty.NumberIntVal(v)
	case int:
		return cty.NumberIntVal(int64(v))
	case float64:
		if v != v { // cty has no NaN, and panics
			return cty.NullVal(cty.Number)
		}
		return cty.NumberFloatVal(v)
	case []any:
		elems := make([]cty.Value, len(v))
		for i, e := range v {
			elems[i] = toValue(e)
		}
		return cty.TupleVal(elems)
	case map[string]any:
		attrs := make(map[string]cty.Value, len(v))
		for k, e := range v {
			attrs[k] = toValue(e)
		}
		return cty.ObjectVal(attrs)
	}
	return cty.StringVal(fmt.Sprint(v))
}

// show returns a value in JSON, cut to maxValue columns.
func show(v cty.Value) string {
	if !v.IsWhollyKnown() {
		return "(unknown)"
	}
	shown, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return "(" + v.Type().FriendlyName() + ")"
	}
	return text.Shorten(string(shown), maxValue)
}
