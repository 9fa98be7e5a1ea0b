package scenarios

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/labctl/labctl/internal/text"
)

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
