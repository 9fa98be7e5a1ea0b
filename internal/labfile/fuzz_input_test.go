package labfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

const labOfVariables = `
lab "x" {
  title = "${var.text} ${var.number} ${var.flag} ${join("", var.list)} ${jsonencode(var.map)} ${var.free}"
}
variable "text" { default = "" }
variable "number" { default = 1 }
variable "flag" { default = false }
variable "list" {
  type    = list(string)
  default = []
}
variable "map" {
  type    = map(number)
  default = {}
}
variable "free" { default = "x" }
cluster "kind" "x" {
  node "control-plane" {}
}
`

// FuzzValues: whatever is given for variables, by flag, environment or .labvars file, makes a lab or problems, soon
// and of bounded size; and the lab, made again from what it says that it was given, is the same.
func FuzzValues(f *testing.F) {
	for _, text := range []string{
		"", "1", "true", `["a", "b"]`, `{a = 1}`, `{"a": 1}`, `"x`, "1e99", "1e99999999", "0x1p99999999", "1e-99999999", strings.Repeat("9", 200), "[[[[", "${1}", "%{if", "\xff", "\x00", "a\r\nb", "\ufeff1", "null",
	} {
		f.Add(text, "text = \"a\"\nmap = {a = 1}\n")
		f.Add("x", "number = "+text+"\nlist = "+text+"\n")
	}
	f.Add("x", "\ufefftext = \"a\"\r\nfree = [1, \"a\"]\r\n")
	f.Add("x", "text = \"\x1b[2J\"\nx {}\n")
	f.Add("x", "t\x00e\x00x\x00t\x00")
	f.Fuzz(func(t *testing.T, value, labvars string) {
		start := time.Now()
		src := Source{Name: "x.hcl", Bytes: []byte(labOfVariables)}
		for _, name := range []string{"text", "number", "flag", "list", "map", "free"} {
			for _, opt := range []Options{
				{LabVars: []Source{{Name: "a.labvars", Bytes: []byte(labvars)}}},
				{LabVars: []Source{{Name: "a.labvars", Bytes: []byte(labvars)}}, Vars: map[string]string{name: value}},
				{Environ: []string{envPrefix + name + "=" + value}},
			} {
				lab, diags := parse(src, opt)
				if (lab == nil) != diags.HasErrors() {
					t.Fatalf("lab %v, %v", lab, diags)
				}
				var out bytes.Buffer
				if err := FormatDiagnostics(&out, diags, 80, false); err != nil || strings.ContainsAny(out.String(), "\x1b\x07\u009b") {
					t.Fatalf("%q, %v", out.String(), err)
				}
				if lab == nil {
					continue
				}
				if len(lab.Title) > 20*maxResult || len(lab.VariableValues) > 20*maxResult {
					t.Fatalf("%d bytes of title, %d of values", len(lab.Title), len(lab.VariableValues))
				}
				again, diags := parse(src, Options{LabVars: []Source{{Name: "state", Bytes: lab.VariableValues}}})
				if again == nil || again.Title != lab.Title {
					t.Fatalf("%s gives %v, %v; not %q", lab.VariableValues, again, diags, lab.Title)
				}
			}
		}
		if took := time.Since(start); took > slow {
			t.Fatalf("took %s", took)
		}
	})
}

// FuzzManifest: what a manifest makes is bounded, is validated exactly if it can be rendered, and comes out the
// same each time.
func FuzzManifest(f *testing.F) {
	text, err := os.ReadFile("testdata/scenario/valid-demo.hcl")
	if err != nil {
		f.Fatal(err)
	}
	for _, manifest := range []string{
		fmt.Sprintf(podWith, "${input.image} %%{x} $${y}"), fmt.Sprintf(podWith, "%{http_code}"), bomb(8, 9, 1), bomb(1, 100, 60_000), bomb(3, 5, 10),
		fmt.Sprintf(configMap, "x") + "a: &a [*a]\n", fmt.Sprintf(configMap, "x") + "<<: &m {a: 1}\nb: {<<: *m}\n", strings.Repeat("[", 20_000), strings.Repeat("- ", 20_000),
		strings.Repeat("? ", 20_000), strings.Repeat("a: ", 2000), strings.Repeat("#\n", 20_000), strings.Repeat("---\n", 5000), strings.Repeat("!!map &a ", 5000), strings.Repeat("&a ", 5000), strings.Repeat("{a: ", 5000),
		fmt.Sprintf(configMap, "x") + "a: 1e999999999\nb: 0b11\nc: 1_000\nd: 0777\ne: .nan\nf: 2001-01-01\ng: !!binary aGk=\nh: !!float 1\ni: 99999999999999999999999999\n",
		"\ufeff" + fmt.Sprintf(configMap, "x"), strings.ReplaceAll(fmt.Sprintf(configMap, "x"), "\n", "\r\n"), "\xff\xfea\x00", "a:\tb\n\tc: d\n", "%YAML 1.1\n---\n" + fmt.Sprintf(configMap, "x"), "--- |\n a\n", "...\n---\n",
		`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}`, "? [a, b]\n: c\n", "a: \"\\ud800\"\n", "a: !<tag:x> b\n", "apiVersion: yes\nkind: 1\nmetadata: {name: null}\n",
	} {
		f.Add([]byte(manifest), true)
		f.Add([]byte(manifest), false)
	}
	f.Fuzz(func(t *testing.T, manifest []byte, templates bool) {
		start := time.Now()
		seed := fmt.Sprintf("seed {\n    templates = %v\n", templates)
		src := Source{Name: "scenario.hcl", Bytes: []byte(strings.Replace(string(text), "seed {", seed, 1)), Dir: fstest.MapFS{"manifests/pod.yaml": {Data: manifest}}}
		d, diags := parseDefinition(src)
		if (d == nil) != diags.HasErrors() {
			t.Fatalf("definition %v, %v", d, diags)
		}
		for _, diag := range diags {
			if diag.Subject == nil || diag.Extra == nil && diag.Subject.Filename == "manifests/pod.yaml" && len(manifest) <= MaxBytes {
				t.Fatalf("without its line: %v", diag)
			}
		}
		if d != nil {
			first, diags := Render(d, nil)
			second, _ := Render(d, nil)
			if diags.HasErrors() || len(first) != 1 || len(first[0].Objects) == 0 || len(first[0].Objects) > MaxObjects {
				t.Fatalf("accepted, but rendered as %v, %v", first, diags)
			}
			one, err := json.Marshal(first[0].Objects)
			two, _ := json.Marshal(second[0].Objects)
			// In JSON a byte takes at most six, and a value at most a few more.
			if err != nil || !bytes.Equal(one, two) || len(one) > 6*MaxText+10*MaxValues {
				t.Fatalf("%d bytes and %d, %v", len(one), len(two), err)
			}
			for _, o := range first[0].Objects {
				metadata, _ := o["metadata"].(map[string]any)
				for _, text := range []any{o["apiVersion"], o["kind"], metadata["name"]} {
					if s, is := text.(string); !is || s == "" {
						t.Fatalf("not an object: %v", o)
					}
				}
			}
		}
		if took := time.Since(start); took > slow {
			t.Fatalf("took %s", took)
		}
	})
}
