package event

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// declared returns the names of the package's event types, as its source declares them.
func declared(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == "kind" && fn.Recv != nil {
				names = append(names, fn.Recv.List[0].Type.(*ast.Ident).Name)
			}
		}
	}
	return names
}

func TestGoldenHasEveryTypeAndField(t *testing.T) {
	full, empty := map[string]bool{}, map[string]bool{}
	for _, g := range golden {
		v := reflect.ValueOf(g.event)
		set := 0
		for i := range v.NumField() {
			if !v.Field(i).IsZero() {
				set++
			}
		}
		full[v.Type().Name()] = full[v.Type().Name()] || set == v.NumField()
		empty[v.Type().Name()] = empty[v.Type().Name()] || set == 0
	}
	names := declared(t)
	if len(names) < 5 {
		t.Fatalf("found the types %v only", names)
	}
	for _, name := range names {
		if !full[name] || !empty[name] {
			t.Errorf("%s is not in the golden test with all of its fields and with none", name)
		}
	}
}

func TestDocsHaveEveryTypeAndField(t *testing.T) {
	text, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	// A section per type, "## `name`", with a table row per field, "| `field` |".
	sections := map[string]string{}
	for _, s := range strings.Split(string(text), "\n## ")[1:] {
		title, body, _ := strings.Cut(s, "\n")
		sections[strings.Trim(title, "`")] = body
	}
	documented := map[string]bool{}
	for _, g := range golden {
		kind := g.event.kind()
		body, ok := sections[kind]
		if !ok {
			t.Errorf("events.md has no section for %q", kind)
			continue
		}
		documented[kind] = true
		var fields []string
		for i, typ := 0, reflect.TypeOf(g.event); i < typ.NumField(); i++ {
			field, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if field == "" || slices.Contains([]string{"v", "time", "type"}, field) {
				t.Errorf("%s.%s has the JSON name %q", typ.Name(), typ.Field(i).Name, field)
			}
			fields = append(fields, field)
			if !strings.Contains(body, "\n| `"+field+"` |") {
				t.Errorf("events.md does not say what %s of %s is", field, kind)
			}
		}
		for _, line := range strings.Split(body, "\n") {
			if name, ok := strings.CutPrefix(line, "| `"); ok {
				if name, _, _ = strings.Cut(name, "`"); !slices.Contains(fields, name) {
					t.Errorf("events.md says that %s has a field %s", kind, name)
				}
			}
		}
	}
	for name := range sections {
		if !documented[name] && strings.Contains(string(text), "## `"+name+"`") {
			t.Errorf("events.md has a section for %q, which is no event", name)
		}
	}
	// The values that a reader switches on.
	for _, value := range []string{string(Observe), string(Apply), string(Destroy), string(Done), string(Unchanged), string(Failed), string(Skipped)} {
		if !strings.Contains(string(text), "`"+value+"`") {
			t.Errorf("events.md does not say what %q means", value)
		}
	}
}
