package labfile

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// Functions returns the functions that every expression may call, by name. The map is the
// caller's. None of them reads anything but its arguments. A result larger than 1 MiB is an error.
func Functions() map[string]function.Function {
	return functions(1 << 20)
}

// functions returns the functions with a bound on the size of their results: join and split
// multiply, and a few of them in one another would fill the memory.
func functions(limit int) map[string]function.Function {
	all := map[string]function.Function{
		"alltrue":     quantifierFunc(true),
		"anytrue":     quantifierFunc(false),
		"can":         tryfunc.CanFunc,
		"coalesce":    stdlib.CoalesceFunc,
		"concat":      stdlib.ConcatFunc,
		"contains":    stdlib.ContainsFunc,
		"distinct":    stdlib.DistinctFunc,
		"endswith":    affixFunc(strings.HasSuffix),
		"flatten":     stdlib.FlattenFunc,
		"join":        stdlib.JoinFunc,
		"jsonencode":  stdlib.JSONEncodeFunc,
		"keys":        stdlib.KeysFunc,
		"length":      lengthFunc(),
		"lower":       stdlib.LowerFunc,
		"max":         stdlib.MaxFunc,
		"min":         stdlib.MinFunc,
		"one":         oneFunc(),
		"regexmatch":  regexMatchFunc(),
		"sort":        stdlib.SortFunc,
		"split":       stdlib.SplitFunc,
		"startswith":  affixFunc(strings.HasPrefix),
		"strcontains": affixFunc(strings.Contains),
		"timeadd":     stdlib.TimeAddFunc,
		"timecmp":     timeCompareFunc(),
		"tobool":      stdlib.MakeToFunc(cty.Bool),
		"tonumber":    stdlib.MakeToFunc(cty.Number),
		"tostring":    stdlib.MakeToFunc(cty.String),
		"trimspace":   stdlib.TrimSpaceFunc,
		"try":         tryfunc.TryFunc,
		"upper":       stdlib.UpperFunc,
		"values":      stdlib.ValuesFunc,
	}
	maps.Copy(all, kubeFunctions())
	for name, f := range all {
		all[name] = boundedFunc(f, limit)
	}
	return all
}

// boundedFunc makes f fail when its result is larger than limit bytes.
func boundedFunc(f function.Function, limit int) function.Function {
	params, variadic := f.Params(), f.VarParam()
	for _, p := range append(params, deref(variadic)...) {
		if p.Type.Equals(customdecode.ExpressionClosureType) {
			return f // try and can return what something else has made
		}
	}
	return function.New(&function.Spec{
		Description: f.Description(),
		Params:      params,
		VarParam:    variadic,
		Type: func(args []cty.Value) (cty.Type, error) {
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			result, err := f.Call(args)
			if err == nil && extreme(result) {
				return cty.NilVal, errNumber
			}
			if err == nil && sizeOf(result, limit) > limit {
				return cty.NilVal, fmt.Errorf("the result is larger than %d KiB", limit>>10)
			}
			return result, err
		},
	})
}

func deref(p *function.Parameter) []function.Parameter {
	if p == nil {
		return nil
	}
	return []function.Parameter{*p}
}

// sizeOf returns roughly how many bytes v takes; it stops counting beyond limit, and a number that
// cannot be written out is beyond it.
func sizeOf(v cty.Value, limit int) int {
	v, _ = v.Unmark()
	switch {
	case v == cty.NilVal || v.IsNull() || !v.IsKnown():
		return 8
	case extreme(v):
		return limit + 1
	case v.Type() == cty.String:
		return 8 + len(v.AsString())
	case v.CanIterateElements():
		size := 8
		for _, element := range v.Elements() {
			if size += 8 + sizeOf(element, limit-size); size > limit {
				break
			}
		}
		return size
	}
	return 8
}

// quantifierFunc is alltrue (every) or anytrue (!every) over a list of booleans. A null element
// counts as false, as a field that is not there does.
func quantifierFunc(every bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			for _, v := range args[0].Elements() {
				if !v.IsKnown() {
					return cty.UnknownVal(cty.Bool), nil
				}
				if truth := !v.IsNull() && v.True(); truth != every {
					return cty.BoolVal(!every), nil
				}
			}
			return cty.BoolVal(every), nil
		},
	})
}

func affixFunc(has func(s, affix string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}, {Name: "affix", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(has(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// regexMatchFunc is regexmatch(pattern, text): RE2, anchored only where the pattern says so.
func regexMatchFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "pattern", Type: cty.String}, {Name: "text", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			re, err := regexp.Compile(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.BoolVal(re.MatchString(args[1].AsString())), nil
		},
	})
}

// lengthFunc counts elements, attributes of an object, or characters of a text.
func lengthFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType}},
		Type: func(args []cty.Value) (cty.Type, error) {
			t := args[0].Type()
			if t == cty.String || t.IsObjectType() || t.IsTupleType() || t.IsCollectionType() {
				return cty.Number, nil
			}
			return cty.NilType, function.NewArgErrorf(0, "a list, a map, an object or a text is needed")
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v := args[0]
			switch {
			case v.Type() == cty.String:
				return stdlib.Strlen(v)
			case v.Type().IsObjectType():
				return cty.NumberIntVal(int64(len(v.Type().AttributeTypes()))), nil
			}
			return cty.NumberIntVal(int64(v.LengthInt())), nil
		},
	})
}

// oneFunc returns the only element of a list, null for an empty list, and fails for more.
func oneFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
		Type: func(args []cty.Value) (cty.Type, error) {
			t := args[0].Type()
			switch {
			case t.IsListType() || t.IsSetType():
				return t.ElementType(), nil
			case t.IsTupleType() && len(t.TupleElementTypes()) == 0:
				return cty.DynamicPseudoType, nil
			case t.IsTupleType() && len(t.TupleElementTypes()) == 1:
				return t.TupleElementType(0), nil
			case t.IsTupleType():
				return cty.NilType, function.NewArgErrorf(0, "there are %d elements, and there may be one at most", len(t.TupleElementTypes()))
			}
			return cty.NilType, function.NewArgErrorf(0, "a list is needed")
		},
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			elements := args[0].AsValueSlice()
			switch len(elements) {
			case 0:
				return cty.NullVal(t), nil
			case 1:
				return elements[0], nil
			}
			return cty.NilVal, function.NewArgErrorf(0, "there are %d elements, and there may be one at most", len(elements))
		},
	})
}

// timeCompareFunc is timecmp(a, b): -1, 0 or 1 for two RFC 3339 times, as the API server writes
// them.
func timeCompareFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "a", Type: cty.String}, {Name: "b", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			var times [2]time.Time
			for i, arg := range args {
				t, err := time.Parse(time.RFC3339, arg.AsString())
				if err != nil {
					return cty.NilVal, function.NewArgErrorf(i, "%q is not a time such as 2006-01-02T15:04:05Z", arg.AsString())
				}
				times[i] = t
			}
			return cty.NumberIntVal(int64(times[0].Compare(times[1]))), nil
		},
	})
}
