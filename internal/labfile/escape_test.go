package labfile

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// withManifest parses a valid scenario with another manifest, and with words put into its seed block.
func withManifest(t testing.TB, manifest, seed string) (*Definition, []Problem) {
	t.Helper()
	text, err := os.ReadFile("testdata/scenario/valid-demo.hcl")
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "seed {", "seed {\n"+seed, 1)
	d, diags := ParseDefinition(Source{Name: "scenario.hcl", Bytes: []byte(changed), Dir: fstest.MapFS{"manifests/pod.yaml": {Data: []byte(manifest)}}})
	return d, Problems(diags)
}

const podWith = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  command:\n  - |\n    %s\n"

// Other programs use the signs of templates, too. As they are, each is a problem at its place in the
// manifest, which says both ways out; escaped it is what it was; and without templates it is taken
// as it is.
func TestForeignTemplates(t *testing.T) {
	for _, foreign := range []string{
		"curl -w '%{http_code}' http://web", `curl -w "%{time_total}\n"`, "echo ${HOME}", "echo ${HOME:-/root}", "echo ${1}", "echo ${#list}",
		"echo ${!name}", "echo ${file%%.*}", "echo ${list[@]}", "echo ${@}", "echo ${10#$x}", "${x//a/b}", "%{if}", "%{ host }.${domain}", "${self.x}",
		"echo ${", "%{", "${len(x)}", "${x^^}", "${x:0:2}",
	} {
		manifest := fmt.Sprintf(podWith, foreign)
		_, problems := withManifest(t, manifest, "")
		if len(problems) == 0 {
			t.Errorf("%s: taken for a template of labctl", foreign)
		}
		for _, p := range problems {
			sign := foreign[strings.IndexByte(foreign, '{')-1:][:1]
			for _, want := range []string{"not meant for labctl", sign + sign + "{", "templates = false"} {
				if !strings.Contains(p.Detail, want) {
					t.Errorf("%s: it lacks %q: %s", foreign, want, p.Detail)
				}
			}
			if p.File != "manifests/pod.yaml" || p.Line != 8 && p.Line != 9 && !strings.HasPrefix(p.Summary, "Unclosed") {
				t.Errorf("%s: %s:%d", foreign, p.File, p.Line)
			}
		}
		command := func(text, seed string) string {
			d, problems := withManifest(t, text, seed)
			if d == nil {
				t.Errorf("%s: %v", foreign, problems)
				return ""
			}
			rendered, diags := Render(d, nil)
			if diags.HasErrors() {
				t.Error(diags)
				return ""
			}
			spec := rendered[0].Objects[0]["spec"].(map[string]any)
			return strings.TrimSpace(spec["command"].([]any)[0].(string))
		}
		if got := command(manifest, "templates = false"); got != foreign {
			t.Errorf("without templates %q became %q", foreign, got)
		}
		escaped := strings.NewReplacer("${", "$${", "%{", "%%{").Replace(manifest)
		if got := command(escaped, "templates = true"); got != foreign {
			t.Errorf("escaped, %q became %q", foreign, got)
		}
	}
}

// What is labctl's own is no foreign template.
func TestNoHintForAMistake(t *testing.T) {
	_, problems := withManifest(t, fmt.Sprintf(podWith, "${input.imaeg}"), "")
	if len(problems) != 1 || strings.Contains(problems[0].Detail, "not meant") || !strings.Contains(problems[0].Detail, `Did you mean "image"?`) {
		t.Errorf("%v", problems)
	}
	if _, problems := withManifest(t, fmt.Sprintf(podWith, "x"), `templates = "maybe"`); len(problems) != 1 || !strings.Contains(problems[0].Detail, `"templates" must be true or false`) {
		t.Errorf("%v", problems)
	}
}

// A lab file's own texts, such as the commands of a solution, name the escape as well.
func TestForeignTemplatesInALabFile(t *testing.T) {
	for foreign, want := range map[string]string{
		"curl -w %{http_code}": "write %%{", "echo ${HOME}": "write $${", "echo ${1}": "write $${", "echo ${HOME:-x}": "write $${",
	} {
		text := fmt.Sprintf("lab \"x\" {\n  title = %q\n}\ncluster \"kind\" \"x\" {\n  node \"control-plane\" {}\n}\n", foreign)
		_, diags := Parse(Source{Name: "x.hcl", Bytes: []byte(text)}, Options{})
		if len(diags) == 0 {
			t.Errorf("%s: taken for a template of labctl", foreign)
		}
		for _, diag := range diags {
			if diag.Subject.Start.Line != 2 || !strings.Contains(diag.Detail, want) || strings.Contains(diag.Detail, "templates") {
				t.Errorf("%s: %v", foreign, diag)
			}
		}
		escaped := strings.NewReplacer("${", "$${", "%{", "%%{").Replace(text)
		if lab, diags := Parse(Source{Name: "x.hcl", Bytes: []byte(escaped)}, Options{}); diags != nil || lab.Title != foreign {
			t.Errorf("%s: %v %v", foreign, lab, diags)
		}
	}
}
