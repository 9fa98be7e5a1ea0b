package labfile

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// The reference shows one lab, one scenario and one manifest, which must be valid, and names every
// function.
func TestReference(t *testing.T) {
	text, err := os.ReadFile("../../docs/labfile.md")
	if err != nil {
		t.Fatal(err)
	}
	var fences []string
	for _, found := range regexp.MustCompile("(?s)```(?:hcl|yaml)\n(.*?)```").FindAllSubmatch(text, -1) {
		fences = append(fences, string(found[1]))
	}
	if len(fences) != 3 {
		t.Fatalf("%d examples", len(fences))
	}
	lab, scenario, manifest := fences[0], fences[1], fences[2]
	if _, diags := Parse(Source{Name: "lab", Bytes: []byte(lab)}, Options{Catalogue: stubCatalogue(t)}); diags.HasErrors() {
		t.Error(diags)
	}
	d, diags := ParseDefinition(Source{Name: "scenario", Bytes: []byte(scenario), Dir: fstest.MapFS{"manifests/pod.yaml": {Data: []byte(manifest)}}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for name, has := range map[string]bool{
		"seed": d.Seed != nil, "symptom": d.Symptom != nil, "guard": len(d.Solved.Guards) > 0, "hint": len(d.Hints) > 0, "debrief": d.Debrief != "",
	} {
		if !has {
			t.Errorf("the example lacks %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(Functions())) {
		if !strings.Contains(string(text), "`"+name+"`") && !strings.Contains(string(text), "`"+name+"(") {
			t.Errorf("the function %s is not documented", name)
		}
	}
}
