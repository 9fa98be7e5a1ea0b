package draft

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/plainfile"
)

// load reads a scenario's folder as `labctl scenario test` does.
func load(folder string) (*labfile.Definition, error) {
	text, err := os.ReadFile(filepath.Join(folder, "scenario.hcl"))
	if err != nil {
		return nil, err
	}
	d, diags := labfile.ParseDefinition(labfile.Source{Name: "scenario.hcl", Bytes: text, Dir: plainfile.Folder(folder)})
	if diags.HasErrors() {
		return nil, &Invalid{diags}
	}
	return d, nil
}

func TestSkeletonsLoad(t *testing.T) {
	for _, of := range []labfile.Type{labfile.Break, labfile.Task, labfile.Demo} {
		folder := filepath.Join(t.TempDir(), "x")
		d, err := Skeleton("my-own-2", of)
		if err == nil {
			err = d.Write(folder)
		}
		if err != nil {
			t.Fatal(err)
		}
		def, err := load(folder)
		if err != nil {
			t.Errorf("%s:\n%v", of, err)
			continue
		}
		if tries := max(len(def.WrongFixes), len(def.Disturbances)); def.Name != "my-own-2" || def.Type != of || tries < 2 {
			t.Errorf("%s is %s %s with %d tries that must fail", of, def.Type, def.Name, tries)
		}
		page, err := os.ReadFile(filepath.Join(folder, "README.md"))
		if err != nil || strings.Contains(string(page), "kubectl patch") || !strings.Contains(string(page), "my-own-2") {
			t.Errorf("%s: %v\n%s", of, err, page)
		}
	}
}

func TestSkeletonRefuses(t *testing.T) {
	for name, of := range map[string]labfile.Type{"": labfile.Break, "Big": labfile.Break, "../x": labfile.Break, "new": labfile.Break, "test": labfile.Task, "x": "quiz"} {
		if d, err := Skeleton(name, of); err == nil {
			t.Errorf("%q %q became %v", name, of, d.Files)
		}
	}
}

// A folder is made as a whole, and only where nothing is.
func TestWriteTakesFreePlacesAlone(t *testing.T) {
	dir := t.TempDir()
	d, err := Skeleton("x", labfile.Break)
	if err != nil {
		t.Fatal(err)
	}
	full, empty, file, link := filepath.Join(dir, "full"), filepath.Join(dir, "empty"), filepath.Join(dir, "file"), filepath.Join(dir, "link")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(full, "sub"), 0o755), os.Mkdir(empty, 0o755), os.WriteFile(file, []byte("mine"), 0o644), os.Symlink("nowhere", link),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, place := range []string{full, file, link, filepath.Join(dir, "no", "x"), filepath.Join(file, "x")} {
		if err := d.Write(place); err == nil {
			t.Errorf("%s was overwritten", place)
		}
	}
	if err := d.Write(empty); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	escaping := &Draft{Name: "x", Files: []File{{"scenario.hcl", nil}, {"../out", nil}}}
	if err := escaping.Write(filepath.Join(dir, "half")); err == nil {
		t.Error("a path led out of the folder")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 4 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
