package labfile

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestFormatDiagnostics(t *testing.T) {
	text, err := os.ReadFile("testdata/format/input.hcl")
	if err != nil {
		t.Fatal(err)
	}
	lab, diags := Parse(Source{Name: "labs/input.hcl", Bytes: text}, Options{
		Vars:      map[string]string{"nmber": "1"},
		Catalogue: stubCatalogue(t),
		LabVars:   []Source{{Name: "class.labvars", Bytes: []byte("number = \"x\"\n")}},
	})
	if lab != nil || len(diags) < 5 {
		t.Fatalf("the input should be wrong in many ways: %v", diags)
	}
	for name, how := range map[string]struct {
		width int
		color bool
	}{
		"plain.golden":    {0, false},
		"terminal.golden": {60, true},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := FormatDiagnostics(&out, diags, how.width, how.color); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata/format", name)
			if *update {
				if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(out.Bytes(), want) {
				t.Errorf("got:\n%s\nwant:\n%s", out.Bytes(), want)
			}
		})
	}
}

// A lab file is other people's text: none of it may reach a terminal as a command to it.
func TestFormatDiagnosticsIsPrintable(t *testing.T) {
	text := "lab \"x\" {\n\ttitle = [\"\x1b[2J\u202e\"]\n \"\x1b]0;\x07\" {}\n}\n"
	_, diags := Parse(Source{Name: "evil\x1b[1m.hcl", Bytes: []byte(text)}, Options{Name: "\x1b[31m"})
	if !diags.HasErrors() {
		t.Fatal("accepted")
	}
	var out bytes.Buffer
	if err := FormatDiagnostics(&out, diags, 0, false); err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexFunc(out.String(), func(r rune) bool { return (r < ' ' && r != '\n') || r == 0x7f || r == '\u202e' }); i >= 0 {
		t.Errorf("unprintable character at %d of %q", i, out.String())
	}
	for _, p := range Problems(diags) {
		if strings.ContainsRune(p.Summary+p.Detail+p.File+p.Snippet, 0x1b) {
			t.Errorf("an escape in %+v", p)
		}
	}
}

// The mark stands below what is meant, also behind characters of two columns and such as are shown as escapes.
func TestMarkBehindWideCharacters(t *testing.T) {
	_, diags := Parse(Source{Name: "wide.hcl", Bytes: []byte("lab \"x\" {\n  title = \"世界\u200b\" ; ttl = 1\n}\n")}, Options{})
	var out bytes.Buffer
	if err := FormatDiagnostics(&out, diags, 80, false); err != nil {
		t.Fatal(err)
	}
	want := "    2 │   title = \"世界\\u200b\" ; ttl = 1\n      │                        ^\n"
	if !strings.Contains(out.String(), want) {
		t.Errorf("got\n%s\nwant in it\n%s", out.String(), want)
	}
}

func TestSnippetOfAVeryLongLine(t *testing.T) {
	text := strings.Repeat(" ", 3000) + `labb "ü" {}` + strings.Repeat(" ", 3000) + "# ü"
	_, diags := Parse(Source{Name: "long.hcl", Bytes: []byte(text)}, Options{})
	var out bytes.Buffer
	if err := FormatDiagnostics(&out, diags, 0, false); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(out.String(), "\n") {
		if len(line) > 1000 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	if !strings.Contains(out.String(), "labb") {
		t.Errorf("the marked word is not shown: %s", out.String())
	}
}
