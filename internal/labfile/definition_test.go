package labfile

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

func TestParseDefinition(t *testing.T) {
	d := stubDefinition(t)
	if d.Name != "imagepull" || d.Type != Break || d.Summary != "The pod web asks for nginx:99999." {
		t.Errorf("definition: %+v", d)
	}
	if len(d.Inputs) != 2 || d.Inputs[0].Name != "image" || d.Inputs[0].Description != "The image that cannot be pulled" {
		t.Errorf("inputs: %+v", d.Inputs)
	}
	if want := []string{"nginx:99999", "nginx:1.25"}; strings.Join(d.Seed.Images, " ") != strings.Join(want, " ") {
		t.Errorf("images: %q", d.Seed.Images)
	}
	c := d.Symptom[0]
	if c.Name != "never-started" || c.Evidence != (Objects{Kind: "Pod", Name: "web", Namespace: "default"}) || !c.Sticky || c.Any {
		t.Errorf("symptom: %+v", c)
	}
	if !strings.HasPrefix(c.HoldsSource, "(\n") || !strings.HasSuffix(c.HoldsSource, ")") || !strings.HasPrefix(c.InconclusiveIfSource, "anytrue([for s") {
		t.Errorf("sources: %q %q", c.HoldsSource, c.InconclusiveIfSource)
	}
	guard := d.Solved.Guards[0]
	if d.Solved.StableFor != 10*time.Second || len(d.Solved.Conditions) != 1 || guard.Evidence.(Objects).Selector != "app in (web), env!=test" || !guard.Any || guard.InconclusiveIf != nil {
		t.Errorf("solved: %+v %+v", d.Solved, guard)
	}
	if len(d.Hints) != 2 || d.Hints[0].When != nil || d.Hints[1].Text != "The name is nginx:99999." || d.Hints[1].When.Evidence.(Objects).Name != "web" {
		t.Errorf("hints: %+v", d.Hints)
	}
	if d.Solution.Name != "" || d.WrongFixes[0].Name != "restart" || d.WrongFixes[0].Run[0] != "kubectl replace --force -f - <<< ${X}" || d.Debrief == "" {
		t.Errorf("remedies: %+v %+v", d.Solution, d.WrongFixes[0])
	}
}

// The expressions are evaluated later, on what the API answered: this is how.
func TestConditionOnALiveObject(t *testing.T) {
	c := stubDefinition(t).Symptom[0]
	pod := func(reason string, restarts int64) cty.Value {
		return cty.ObjectVal(map[string]cty.Value{"status": cty.ObjectVal(map[string]cty.Value{
			"phase": cty.StringVal("Pending"),
			"containerStatuses": cty.TupleVal([]cty.Value{cty.ObjectVal(map[string]cty.Value{
				"restartCount": cty.NumberIntVal(restarts),
				"state": cty.ObjectVal(map[string]cty.Value{"waiting": cty.ObjectVal(map[string]cty.Value{
					"reason": cty.StringVal(reason), "message": cty.StringVal("not found"),
				})}),
			})}),
		})})
	}
	for _, test := range []struct {
		self cty.Value
		want bool
	}{
		{pod("ErrImagePull", 0), true},
		{pod("ImagePullBackOff", 0), true},
		{pod("ImagePullBackOff", 1), false},
		{pod("ContainerCreating", 0), false},
		{cty.ObjectVal(map[string]cty.Value{"status": cty.ObjectVal(map[string]cty.Value{"phase": cty.StringVal("Pending")})}), false},
	} {
		got, diags := c.Holds.Value(&hcl.EvalContext{Variables: map[string]cty.Value{"self": test.self}, Functions: Functions()})
		if diags.HasErrors() || got.True() != test.want {
			t.Errorf("%#v: %#v %v", test.self, got, diags)
		}
	}
}

func TestRender(t *testing.T) {
	d := stubDefinition(t)
	manifests, diags := Render(d, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	want := `apiVersion: v1
kind: Pod
metadata:
  name: web
  labels:
    replicas: "1"
spec:
  containers:
    - name: app
      image: nginx:99999
      command: ["sh", "-c", "echo ${HOME}"]
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
`
	if len(manifests) != 1 || manifests[0].Path != "manifests/pod.yaml" || string(manifests[0].Bytes) != want {
		t.Errorf("%q", manifests)
	}
	manifests, diags = Render(d, map[string]cty.Value{"image": cty.StringVal("busybox:1"), "replicas": cty.StringVal("3")})
	if diags.HasErrors() || !strings.Contains(string(manifests[0].Bytes), "image: busybox:1\n") || !strings.Contains(string(manifests[0].Bytes), `"3"`) {
		t.Errorf("%s %v", manifests, diags)
	}
}

func TestRenderProblems(t *testing.T) {
	d := stubDefinition(t)
	for name, c := range map[string]struct {
		input map[string]cty.Value
		want  string
	}{
		"unknown":   {map[string]cty.Value{"imag": cty.StringVal("x")}, `has no input "imag". Did you mean "image"?`},
		"type":      {map[string]cty.Value{"replicas": cty.StringVal("many")}, `The input "replicas" of scenario "imagepull" must be a number`},
		"null":      {map[string]cty.Value{"image": cty.NullVal(cty.String)}, `The input "image" is null.`},
		"injection": {map[string]cty.Value{"image": cty.StringVal("x\n    - {")}, "This manifest is not YAML"},
		"large":     {map[string]cty.Value{"image": cty.StringVal(strings.Repeat("x", maxResult+1))}, "An input holds at most 16 KiB"},
	} {
		manifests, diags := Render(d, c.input)
		if manifests != nil || len(diags) != 1 || !strings.Contains(diags[0].Detail, c.want) || diags[0].Subject == nil {
			t.Errorf("%s: %v %v", name, manifests, diags)
		}
	}
}

func TestRenderWithoutSeedOrFolder(t *testing.T) {
	if manifests, diags := Render(&Definition{Name: "task", Type: Task}, nil); manifests != nil || diags != nil {
		t.Errorf("%v %v", manifests, diags)
	}
	_, diags := Render(&Definition{Seed: &Seed{Manifests: []string{"x.yaml"}}}, nil)
	if len(diags) != 1 || !strings.Contains(diags[0].Detail, "there is no folder") {
		t.Errorf("%v", diags)
	}
}

func TestManifestLimits(t *testing.T) {
	text, err := os.ReadFile("testdata/scenario/valid-demo.hcl")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ manifest, want string }{
		"empty":  {"", "holds no object"},
		"deep":   {"${" + strings.Repeat("(", 200) + "}", "nested 100 deep"},
		"binary": {"\xff\xfe", "not valid UTF-8"},
		"bomb":   {"a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "has no apiVersion"},
	} {
		_, diags := ParseDefinition(Source{Name: "scenario.hcl", Bytes: text, Dir: fstest.MapFS{"manifests/pod.yaml": {Data: []byte(c.manifest)}}})
		if len(diags) != 1 || !strings.Contains(diags[0].Detail, c.want) || diags[0].Subject.Filename != "manifests/pod.yaml" {
			t.Errorf("%s: %v", name, diags)
		}
	}
}

// TestWhatIsOneObject: the namespace default may be left out, and kinds of two groups may share a name.
func TestWhatIsOneObject(t *testing.T) {
	text, err := os.ReadFile("testdata/scenario/valid-demo.hcl")
	if err != nil {
		t.Fatal(err)
	}
	for other, twice := range map[string]bool{
		`{apiVersion: v1, kind: Service, metadata: {name: web, namespace: default}}`:         true,
		`{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}}`:            false,
		`{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: web}}`:         false,
		`{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: hpa}}`: true,
	} {
		manifest := `
{apiVersion: v1, kind: Service, metadata: {name: web}}
---
{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, metadata: {name: hpa}}
---
` + other
		_, diags := ParseDefinition(Source{Name: "scenario.hcl", Bytes: text, Dir: fstest.MapFS{"manifests/pod.yaml": {Data: []byte(manifest)}}})
		if found := len(diags) == 1 && diags[0].Summary == "Duplicate object"; found != twice {
			t.Errorf("%s: %v", other, diags)
		}
	}
}
