package draft

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/labctl/labctl/internal/labfile"
)

// load reads a draft as a lab would.
func loadDraft(t *testing.T, d *Draft) *labfile.Definition {
	t.Helper()
	files := fstest.MapFS{}
	for _, f := range d.Files {
		files[f.Path] = &fstest.MapFile{Data: f.Bytes}
	}
	text, err := fs.ReadFile(files, "scenario.hcl")
	if err != nil {
		t.Fatal(err)
	}
	def, diags := labfile.ParseDefinition(labfile.Source{Name: "scenario.hcl", Bytes: text, Dir: files})
	if diags.HasErrors() {
		t.Fatalf("%v\n%s", diags, text)
	}
	if _, diags := labfile.Render(def, nil); diags.HasErrors() {
		t.Fatalf("%v\n%s", diags, text)
	}
	return def
}

// Each form of exercise becomes a draft that loads, and says what it could not take over.
func TestImport(t *testing.T) {
	for _, test := range []struct {
		format  string
		is      labfile.Type
		has     []string // of scenario.hcl
		open    []string // what is left to do
		scripts int
	}{
		{"plain", labfile.Break, []string{`script "verify"`, "verify.sh", "manifests/", "kubectl patch deployment greeter"}, []string{"sysctl"}, 1},
		{"k8s-bench", labfile.Break, []string{"teapot", `script "verify"`, `difficulty = "easy"`}, nil, 1},
		{"kubeasy", labfile.Task, []string{"The queue that nobody empties", `difficulty = "medium"`, "minutes    = 20", "working"}, nil, 0},
		{"killercoda", labfile.Break, []string{"A place for a key", "keys", "script"}, nil, 1},
	} {
		t.Run(test.format, func(t *testing.T) {
			d, err := Import("old", os.DirFS("testdata/"+test.format), "")
			if err != nil {
				t.Fatal(err)
			}
			if d.Format != test.format {
				t.Errorf("its form is taken for %s", d.Format)
			}
			def := loadDraft(t, d)
			if def.Type != test.is {
				t.Errorf("it is a %s", def.Type)
			}
			text := ""
			for _, f := range d.Files {
				if f.Path == "scenario.hcl" {
					text = string(f.Bytes)
				}
			}
			for _, want := range test.has {
				if !strings.Contains(text, want) {
					t.Errorf("it lacks %q:\n%s", want, text)
				}
			}
			open := ""
			for _, n := range d.Open {
				open += n.Place() + ": " + n.Text + "\n"
			}
			for _, want := range test.open {
				if !strings.Contains(open, want) {
					t.Errorf("it does not say %q, but:\n%s", want, open)
				}
			}
			if got := strings.Count(text, "\n  script \""); got != test.scripts {
				t.Errorf("it has %d scripts:\n%s", got, text)
			}
			t.Logf("%s\nopen:\n%s", text, open)
		})
	}
}
