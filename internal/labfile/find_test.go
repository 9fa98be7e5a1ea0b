package labfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/labctl/labctl/internal/clierr"
)

func TestFind(t *testing.T) {
	embedded := fstest.MapFS{
		"day10.hcl":      {Data: []byte("embedded")},
		"networking.hcl": {Data: []byte("embedded")},
		"readme.txt":     {Data: []byte("no lab")},
	}
	dir := t.TempDir()
	write := func(path, text string) {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("sub/day10.hcl", "file")
	write("plain", "file")
	write("plain.hcl", "other")
	if err := os.Mkdir(filepath.Join(dir, "networking"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, dir, want, text string }{
		{"day10", dir, "embedded:labs/day10.hcl", "embedded"},
		{"day10.hcl", dir, "embedded:labs/day10.hcl", "embedded"},
		{"day10", filepath.Join(dir, "sub"), "day10.hcl", "file"},
		{"day10.hcl", filepath.Join(dir, "sub"), "day10.hcl", "file"},
		{"embedded:labs/day10.hcl", filepath.Join(dir, "sub"), "embedded:labs/day10.hcl", "embedded"},
		{"sub/day10", dir, "sub/day10.hcl", "file"},
		{"../plain", filepath.Join(dir, "sub"), "../plain", "file"},
		{"plain", dir, "plain", "file"},
		{filepath.Join(dir, "plain"), "/", filepath.Join(dir, "plain"), "file"},
		{"networking", dir, "embedded:labs/networking.hcl", "embedded"},
	} {
		src, err := Find(c.name, c.dir, embedded)
		if err != nil || src.Name != c.want || string(src.Bytes) != c.text {
			t.Errorf("%s in %s: %q %q %v", c.name, c.dir, src.Name, src.Bytes, err)
		}
	}
	// Manifests are looked for beside the file.
	src, err := Find("sub/day10", dir, embedded)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Stat(src.Dir, "day10.hcl"); err != nil {
		t.Error(err)
	}
}

func TestFindProblems(t *testing.T) {
	embedded := fstest.MapFS{"day10.hcl": {}, "networking.hcl": {}}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][2]string{
		"day1":                   {"there is no such file", `labctl's own labs are: day10, networking. Did you mean "day10"?`},
		"labs/netwroking.hcl":    {"there is no such file", `Did you mean "networking"?`},
		"embedded:labs/none":     {"there is no such file", "labctl's own labs are: day10, networking."},
		"folder":                 {"it is a folder", "Give the file itself."},
		"file/x.hcl":             {"there is no such file", "labctl's own labs are"},
		"../../../x":             {"there is no such file", "labctl's own labs are"},
		"":                       {"no name is given", "labctl's own labs are"},
		"a\x00b":                 {"there is no such file", "labctl's own labs are"},
		strings.Repeat("x", 300): {"there is no such file", "labctl's own labs are"},
	} {
		_, err := Find(name, dir, embedded)
		if err == nil || clierr.ClassOf(err) != clierr.Usage || !strings.Contains(err.Error(), want[0]) || !strings.Contains(clierr.NextOf(err), want[1]) {
			t.Errorf("%q: %v; %s", name, err, clierr.NextOf(err))
		}
	}
	if _, err := Find("x", dir, nil); err == nil || clierr.NextOf(err) != "" {
		t.Errorf("without embedded labs: %v", err)
	}
}

// A file of any size is read only as far as is needed to refuse it.
func TestFindReadsNoHugeFile(t *testing.T) {
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "huge.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(file.Truncate(1<<40), file.Close()); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := Find("huge", dir, nil); clierr.ClassOf(err) != clierr.Usage || !strings.Contains(err.Error(), "huge.hcl: it is too large: at most 1 MiB") {
		t.Errorf("%v", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %s", took)
	}
}
