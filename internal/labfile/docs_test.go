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

// The reference shows a lab, a lab with a scenario of its own, and a scenario, the last two with a manifest. They
// must be valid. It names every function.
func TestReference(t *testing.T) {
	text, err := os.ReadFile("../../docs/labfile.md")
	if err != nil {
		t.Fatal(err)
	}
	var fences []string // in the order of the page
	for _, found := range regexp.MustCompile("(?s)```(?:hcl|yaml)\n(.*?)```").FindAllSubmatch(text, -1) {
		fences = append(fences, string(found[1]))
	}
	if len(fences) < 5 {
		t.Fatalf("%d examples", len(fences))
	}
	lab, own, ownManifest, scenario, manifest := fences[0], fences[1], fences[2], fences[3], fences[4]
	if _, diags := Parse(Source{Name: "shop.hcl", Bytes: []byte(own), Dir: Files{"manifests/shop.yaml": []byte(ownManifest)}}, Options{}); diags.HasErrors() {
		t.Error(diags)
	}
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
