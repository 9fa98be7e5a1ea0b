package labfile

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

func TestFunctions(t *testing.T) {
	self := cty.ObjectVal(map[string]cty.Value{
		"mixed": cty.TupleVal([]cty.Value{cty.ObjectVal(map[string]cty.Value{"a": cty.True}), cty.ObjectVal(map[string]cty.Value{"b": cty.Zero})}),
		"none":  cty.EmptyTupleVal,
		"text":  cty.StringVal("größe"),
	})
	for expr, want := range map[string]string{
		`alltrue([])`:                                             "true",
		`alltrue([true, null])`:                                   "false",
		`alltrue([for x in self.none : false])`:                   "true",
		`anytrue([for m in self.mixed : try(m.a, false)])`:        "true",
		`anytrue([false, null])`:                                  "false",
		`can(self.nope)`:                                          "false",
		`try(self.nope.deeper, self.text)`:                        `"größe"`,
		`contains(["a", "b"], "b")`:                               "true",
		`contains(self.none, "b")`:                                "false",
		`length(self.mixed)`:                                      "2",
		`length(self.text)`:                                       "5",
		`length(self)`:                                            "3",
		`one(self.none)`:                                          "null",
		`one(["x"])`:                                              `"x"`,
		`one(["x", "y"])`:                                         "error: there may be one at most",
		`startswith("nginx:1.25", "nginx:")`:                      "true",
		`strcontains("is not found", "not")`:                      "true",
		`endswith("nginx:1.25", "nginx:")`:                        "false",
		`regexmatch("^a+$", "aaa")`:                               "true",
		`regexmatch("(", "aaa")`:                                  "error: missing closing )",
		`timecmp("2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z")`: "-1",
		`timecmp("2024-01-01T01:00:00+01:00", "2024-01-01T00:00:00Z")`: "0",
		`timecmp("yesterday", "2024-01-01T00:00:00Z")`:                 "error: is not a time",
		`max([1, 3, 2]...)`:          "3",
		`join(",", keys(self))`:      `"mixed,none,text"`,
		`tonumber("12") + 1`:         "13",
		`tostring(1)`:                `"1"`,
		`coalesce(null, "a")`:        `"a"`,
		`jsonencode({ a = "x: y" })`: `"{\"a\":\"x: y\"}"`,
		`length(1)`:                  "error: a list, a map, an object or a text is needed",
	} {
		parsed, diags := hclsyntax.ParseExpression([]byte(expr), "", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(expr, diags)
		}
		got := ""
		value, diags := parsed.Value(&hcl.EvalContext{Variables: map[string]cty.Value{"self": self}, Functions: Functions()})
		if diags.HasErrors() {
			got = "error: " + diags.Error()
		} else {
			got = string(hclText(value))
		}
		if strings.HasPrefix(want, "error: ") {
			if !strings.HasPrefix(got, "error: ") || !strings.Contains(got, strings.TrimPrefix(want, "error: ")) {
				t.Errorf("%s: %s, not %s", expr, got, want)
			}
		} else if got != want {
			t.Errorf("%s: %s, not %s", expr, got, want)
		}
	}
}

// hclText writes a value as an expression.
func hclText(v cty.Value) string {
	switch {
	case v.IsNull():
		return "null"
	case v.Type() == cty.String:
		return `"` + strings.ReplaceAll(v.AsString(), `"`, `\"`) + `"`
	case v.Type() == cty.Bool && v.True():
		return "true"
	case v.Type() == cty.Bool:
		return "false"
	case v.Type() == cty.Number:
		return v.AsBigFloat().Text('f', -1)
	}
	return v.GoString()
}

func TestFunctionResultsAreBounded(t *testing.T) {
	half := cty.StringVal(strings.Repeat("x", 600<<10))
	if _, err := Functions()["join"].Call([]cty.Value{cty.StringVal(""), cty.ListVal([]cty.Value{half, half})}); err == nil {
		t.Error("a result of 1200 KiB was given")
	}
	if _, err := Functions()["join"].Call([]cty.Value{cty.StringVal(""), cty.ListVal([]cty.Value{half})}); err != nil {
		t.Error(err)
	}
}
