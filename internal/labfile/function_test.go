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
		"deploy": parsedJSON(t, `{"kind": "Deployment", "metadata": {"name": "web", "generation": 2}, "spec": {"replicas": 2},
			"status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 1, "readyReplicas": 1,
			"conditions": [{"type": "Available", "status": "True"}, {"type": "Progressing", "status": "False", "message": "too slow"}]}}`),
		"pod": parsedJSON(t, `{"kind": "Pod", "metadata": {"name": "web-1-x", "ownerReferences": [{"kind": "ReplicaSet", "name": "web-1"}]},
			"spec": {"initContainers": [{"resources": {"requests": {"cpu": "1"}}}, {"restartPolicy": "Always", "resources": {"requests": {"cpu": "250m"}}}, {"resources": {"requests": {"cpu": "1"}}}],
			"containers": [{"resources": {"requests": {"cpu": 0.5}}}, {}]}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}`),
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
		`length(self)`:                                            "5",
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
		`timeadd("2024-01-01T00:00:00Z", "30s")`:                       `"2024-01-01T00:00:30Z"`,
		`quantity("500m") == quantity(0.5)`:                            "true",
		`quantity("1Gi") == 1024 * 1024 * 1024`:                        "true",
		`quantity("lots")`:                                             "error: \"lots\" is no quantity",
		`quantity(null)`:                                               "error: null",
		`quantity("1e999999999")`:                                      "error: ",
		`percent("25%", 10)`:                                           "2.5",
		`percent(3, 10)`:                                               "3",
		`percent("3", 10)`:                                             "3",
		`percent("x%", 10)`:                                            "error: neither a number nor a percentage",
		`base64decode("aGVsbG8=")`:                                     `"hello"`,
		`base64decode("/////w==")`:                                     "error: not text",
		`jsondecode("{\"a\": [1, 2]}").a[1]`:                           "2",
		`jsondecode("{")`:                                              "error: ",
		`yamldecode("a: {b: [x, y]}").a.b[0]`:                          `"x"`,
		`condition(self.deploy, "Available")`:                          "true",
		`condition(self.deploy, "Progressing")`:                        "false",
		`condition(self.deploy, "Nope")`:                               "false",
		`ready(self.deploy)`:                                           "false",
		`rolled_out(self.deploy)`:                                      "false",
		`rolled_out(self.pod)`:                                         "error: a Pod is not rolled out",
		`ready(self.pod)`:                                              "true",
		`ready(self.text)`:                                             "error: this is no object of the cluster",
		`condition(self.mixed, "Ready")`:                               "error: this is no object of the cluster",
		`ready({kind = "Job"})`:                                        "error: a Job cannot be ready",
		`owned_by(self.pod, "ReplicaSet/web-1")`:                       "true",
		`owned_by(self.pod, "ReplicaSet/web")`:                         "false",
		`owned_by(self.pod, "web-1")`:                                  "error: no owner such as \"Job/report\"",
		`owned_by(self.pod, self.pod)`:                                 "error: an owner is an object of the cluster",
		`requests(self.pod, "cpu")`:                                    "1.25",
		`requests(self.pod, "memory")`:                                 "0",
		`requests(self.deploy, "cpu")`:                                 "error: no spec.containers",
		`quantity("100m") + quantity("200m") == quantity("300m")`:      "true",
		`quantity("-5n")`:                                              "-0.000000005",
		`quantity(" 1")`:                                               "error: is no quantity",
		`quantity(true)`:                                               "error: a text or a number is needed",
		`percent("Inf%", 0)`:                                           "error: neither a number nor a percentage",
		`percent("0x10%", 100)`:                                        "error: neither a number nor a percentage",
		`percent("1e999999%", 100)`:                                    "error: neither a number nor a percentage",
		`percent("-1%", 100)`:                                          "error: neither a number nor a percentage",
		`ceil(percent("34%", 3))`:                                      "2",
		`floor(percent("34%", 3))`:                                     "1",
		`x509("no certificate")`:                                       "error: no certificate in PEM form",
		`max([1, 3, 2]...)`:                                            "3",
		`join(",", keys(self))`:                                        `"deploy,mixed,none,pod,text"`,
		`tonumber("12") + 1`:                                           "13",
		`tostring(1)`:                                                  `"1"`,
		`coalesce(null, "a")`:                                          `"a"`,
		`jsonencode({ a = "x: y" })`:                                   `"{\"a\":\"x: y\"}"`,
		`length(1)`:                                                    "error: a list, a map, an object or a text is needed",
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
