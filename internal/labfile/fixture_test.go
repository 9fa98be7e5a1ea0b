package labfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// A fixture says itself what is wrong with it:
//
//	# ERROR: text           on the line that the problem is reported for; more than one with "; ERROR: "
//	# ERROR line 3: text    on another line
//	# ERROR in NAME line 1: text   in another file
//	# ERROR nowhere: text   without a place
//	# OPTIONS: --var a=b --name x --env A=b --local
var (
	expectation = regexp.MustCompile(`ERROR(?: in (.+?))?(?: line (\d+)| (nowhere))?: (.*)`)
)

// expected is a problem that a fixture announces.
type expected struct {
	file string
	line int
	text string
}

func (e expected) String() string { return fmt.Sprintf("%s:%d: %s", e.file, e.line, e.text) }

func expectations(name string, text []byte) []expected {
	var all []expected
	for i, line := range strings.Split(string(text), "\n") {
		_, comment, has := strings.Cut(line, "# ERROR")
		if !has {
			continue
		}
		for _, part := range strings.Split("ERROR"+comment, "; ERROR") {
			found := expectation.FindStringSubmatch("ERROR" + strings.TrimPrefix(part, "ERROR"))
			e := expected{file: name, line: i + 1, text: strings.TrimSpace(found[4])}
			if found[1] != "" {
				e.file = found[1]
			}
			if found[2] != "" {
				e.line, _ = strconv.Atoi(found[2])
			}
			if found[3] != "" {
				e.file, e.line = "", 0
			}
			all = append(all, e)
		}
	}
	return all
}

// compare fails unless every expectation is met by a problem of its own and no problem is left.
func compare(t *testing.T, want []expected, diags hcl.Diagnostics) {
	t.Helper()
	left := Problems(diags)
	for _, e := range want {
		at := -1
		for i, p := range left {
			if p.File == e.file && p.Line == e.line && strings.Contains(p.Summary+": "+p.Detail, e.text) {
				at = i
				break
			}
		}
		if at < 0 {
			t.Errorf("missing: %s", e)
			continue
		}
		left = append(left[:at], left[at+1:]...)
	}
	for _, p := range left {
		t.Errorf("not announced: %s:%d:%d: %s: %s", p.File, p.Line, p.Column, p.Summary, p.Detail)
	}
}

// fixtureOptions reads the OPTIONS line.
func fixtureOptions(t *testing.T, text []byte) Options {
	t.Helper()
	opt := Options{Catalogue: stubCatalogue(t), Vars: map[string]string{}}
	line, _, _ := strings.Cut(string(text), "\n")
	line, is := strings.CutPrefix(line, "# OPTIONS: ")
	if !is {
		return opt
	}
	for _, found := range regexp.MustCompile(`(--\w+)(?: ("[^"]+"|[^ -][^ ]*))?`).FindAllStringSubmatch(line, -1) {
		value := strings.Trim(found[2], `"`)
		if strings.HasPrefix(found[2], `[`) {
			value = found[2]
		}
		switch found[1] {
		case "--var":
			name, text, _ := strings.Cut(value, "=")
			opt.Vars[name] = text
		case "--env":
			opt.Environ = append(opt.Environ, value)
		case "--name":
			opt.Name = value
		case "--local":
			opt.Local = true
		default:
			t.Fatalf("unknown option %s", found[1])
		}
	}
	return opt
}

// stubDefinition is imagepull, with inputs and manifests.
func stubDefinition(t testing.TB) *Definition {
	t.Helper()
	text, err := os.ReadFile("testdata/scenario/valid-break.hcl")
	if err != nil {
		t.Fatal(err)
	}
	d, diags := ParseDefinition(Source{Name: "scenarios/imagepull/scenario.hcl", Bytes: text, Dir: os.DirFS("testdata/scenario")})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return d
}

// stubCatalogue holds it, two empty definitions, and one that is invalid.
func stubCatalogue(t testing.TB) Definitions {
	t.Helper()
	all := Definitions{"torn": func() (*Definition, error) { return nil, errors.New("torn/scenario.hcl:3,1-2: it is cut short") }}
	for _, d := range []*Definition{stubDefinition(t), {Name: "crashloop", Type: Break}, {Name: "multi-container", Type: Demo}} {
		all[d.Name] = func() (*Definition, error) { return d, nil }
	}
	return all
}

func fixtures(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", folder, "*.hcl"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures in testdata/%s: %v", folder, err)
	}
	all := map[string][]byte{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(path)] = text
	}
	return all
}

func TestLabFixtures(t *testing.T) {
	for name, text := range fixtures(t, "lab") {
		t.Run(name, func(t *testing.T) {
			lab, diags := Parse(Source{Name: name, Bytes: text, Dir: os.DirFS("testdata/lab")}, fixtureOptions(t, text))
			want := expectations(name, text)
			if strings.HasPrefix(name, "valid-") != (len(want) == 0) {
				t.Fatalf("a fixture is called valid-… exactly if it announces no error")
			}
			compare(t, want, diags)
			if (lab == nil) != diags.HasErrors() {
				t.Errorf("lab is %v, with %d problems", lab, len(diags))
			}
		})
	}
}

func TestScenarioFixtures(t *testing.T) {
	files := os.DirFS("testdata/scenario")
	manifests, err := fs.Glob(files, "manifests/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range fixtures(t, "scenario") {
		t.Run(name, func(t *testing.T) {
			d, diags := ParseDefinition(Source{Name: name, Bytes: text, Dir: files})
			want := expectations(name, text)
			for _, path := range manifests {
				if bytes.Contains(text, []byte(path)) {
					manifest, err := fs.ReadFile(files, path)
					if err != nil {
						t.Fatal(err)
					}
					want = append(want, expectations(path, manifest)...)
				}
			}
			compare(t, want, diags)
			if (d == nil) != diags.HasErrors() {
				t.Errorf("definition is %v, with %d problems", d, len(diags))
			}
		})
	}
}
