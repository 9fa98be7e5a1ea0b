package labfile

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"
)

// slow is far more than any file within the limits takes, on a busy machine as well.
const slow = 10 * time.Second

// FuzzParse: no lab file makes Parse panic, hang, or answer with neither a lab nor a problem.
// The inner function is called, so that a panic is not caught.
func FuzzParse(f *testing.F) {
	for _, text := range fixtures(f, "lab") {
		f.Add(text)
	}
	if day10, err := os.ReadFile("../../labs/day10.hcl"); err == nil {
		f.Add(day10)
	}
	f.Add([]byte("lab \"x\" {\n title = \"${1e9}%{if true}a%{endif}\"\n}\n"))
	opt := Options{Catalogue: stubCatalogue(f), Vars: map[string]string{"region": "eu-west-1"}, Environ: []string{"LABCTL_VAR_x=[1]"}}
	f.Fuzz(func(t *testing.T, text []byte) {
		start := time.Now()
		lab, diags := parse(Source{Name: "fuzz.hcl", Bytes: text, Dir: os.DirFS("testdata/scenario")}, opt)
		if (lab == nil) != diags.HasErrors() {
			t.Fatalf("lab %v, %v", lab, diags)
		}
		var out bytes.Buffer
		if err := FormatDiagnostics(&out, diags, 80, true); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > slow {
			t.Fatalf("took %s", took)
		}
		if lab != nil && (!dnsLabel.MatchString(lab.Name) || lab.Cluster == nil || len(lab.Cluster.Nodes) == 0) {
			t.Fatalf("an invalid lab was accepted: %+v", lab)
		}
	})
}

// FuzzParseDefinition: the same for scenarios, whose manifest is fuzzed too.
func FuzzParseDefinition(f *testing.F) {
	manifests, err := filepath.Glob("testdata/scenario/manifests/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range fixtures(f, "scenario") {
		for _, path := range manifests {
			manifest, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text, manifest)
		}
	}
	f.Fuzz(func(t *testing.T, text, manifest []byte) {
		start := time.Now()
		d, diags := parseDefinition(Source{Name: "scenario.hcl", Bytes: text, Dir: fstest.MapFS{"manifests/pod.yaml": {Data: manifest}}})
		if (d == nil) != diags.HasErrors() {
			t.Fatalf("definition %v, %v", d, diags)
		}
		var out bytes.Buffer
		if err := FormatDiagnostics(&out, diags, 0, false); err != nil {
			t.Fatal(err)
		}
		if d != nil {
			if _, diags := Render(d, nil); diags.HasErrors() {
				t.Fatalf("accepted, but not rendered: %v", diags)
			}
		}
		if took := time.Since(start); took > slow {
			t.Fatalf("took %s", took)
		}
	})
}
