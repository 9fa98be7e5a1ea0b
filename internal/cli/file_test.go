package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/labfile"
)

const oneNode = `
lab "files-x" {
  title = var.title
}
variable "title" {}
cluster "kind" "files-x" {
  node "control-plane" {}
}
`

// labctl runs a command with a home of its own and, where the working directory has one, its docker; with standard input from a file, and returns what it said.
func labctl(t *testing.T, in *os.File, args ...string) (code int, out, errs string) {
	t.Helper()
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	streams := map[string]*os.File{}
	for _, name := range []string{"out", "err"} {
		f, err := os.Create(filepath.Join(t.TempDir(), name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		streams[name] = f
	}
	a := newApp(Process{
		Args: append([]string{"labctl"}, args...), In: in, Out: streams["out"], Err: streams["err"],
		Environ: []string{"LABCTL_HOME=" + t.TempDir(), "LABCTL_OWNER=me", "PATH=" + wd},
	})
	code = run(t.Context(), a, args)
	read := func(name string) string {
		text, err := os.ReadFile(streams[name].Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	return code, read("out"), read("err")
}

// write makes files below a folder; a text that begins with -> makes a link.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if target, is := strings.CutPrefix(text, "->"); is {
			err = errors.Join(err, os.Symlink(target, path))
		} else {
			err = errors.Join(err, os.WriteFile(path, []byte(text), 0o644))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The .labvars beside a lab file count, whatever its folder is called and whichever way leads there.
func TestLabVarsAreFound(t *testing.T) {
	dir := t.TempDir()
	const vars = "title = \"from the folder\"\n"
	write(t, dir, map[string]string{
		"labs [2026]/x.hcl": oneNode, "labs [2026]/.labvars": vars,
		"*?/x.hcl": oneNode, "*?/a.labvars": vars,
		`back\slash/x.hcl`: oneNode, `back\slash/a.labvars`: vars,
		"linked/x.hcl": "->../target/y.hcl", "target/y.hcl": oneNode, "target/class.labvars": vars,
		"nearer/x.hcl": "->../target/y.hcl", "nearer/class.labvars": "title = 1\n",
		"folder": "->target",
	})
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for name, want := range map[string]string{
		"labs [2026]/x.hcl": "from the folder", "*?/x.hcl": "from the folder", `back\slash/x.hcl`: "from the folder",
		"linked/x.hcl": "from the folder", "folder/y.hcl": "from the folder", "nearer/x.hcl": "1",
	} {
		for _, path := range []string{name, strings.TrimSuffix(name, ".hcl")} {
			a := newApp(Process{Err: null})
			declared, _, _, err := a.read(t.Context(), &lab.Machine{}, fileOptions{path: filepath.Join(dir, path)})
			if err != nil || declared.Title != want {
				t.Errorf("%s: %v, %v; want the title %q", path, declared, err, want)
			}
		}
	}
}

// What a lab names is a regular file of its folder; anything else is refused by name, without a byte
// of it being shown or waited for.
func TestHostileFiles(t *testing.T) {
	dir := t.TempDir()
	scenario := strings.Replace(oneNode, "var.title", `"x"`, 1) + `
scenario "own" {
  type    = "demo"
  title   = "x"
  summary = "x"
  seed {
    manifests = ["x.yaml"]
  }
  symptom {
    condition "x" {
      kind  = "Pod"
      name  = "x"
      says  = "x"
      holds = true
    }
  }
  disturbance "a" {
    says = "x"
    run  = "x"
  }
  disturbance "b" {
    says = "x"
    run  = "x"
  }
}
`
	write(t, dir, map[string]string{"outside": "secret = of another user\n"})
	for _, c := range []struct {
		what, want string
		put        func(path string) error
	}{
		{"a pipe", "it is a pipe, not a regular file", func(path string) error { return syscall.Mkfifo(path, 0o644) }},
		{"a device", "", func(path string) error { return os.Symlink("/dev/zero", path) }},
		{"a link out", "it leads out of the folder", func(path string) error { return os.Symlink("../outside", path) }},
		{"an absolute link out", "it leads out of the folder", func(path string) error { return os.Symlink(filepath.Join(dir, "outside"), path) }},
		{"a folder", "it is a folder", func(path string) error { return os.Mkdir(path, 0o755) }},
		{"without end", "it is too large: at most 1 MiB", func(path string) error { return errors.Join(os.WriteFile(path, nil, 0o644), os.Truncate(path, 1<<40)) }},
	} {
		for _, name := range []string{"class.labvars", "x.yaml", "x.hcl"} {
			folder, err := os.MkdirTemp(dir, "lab")
			if err != nil {
				t.Fatal(err)
			}
			if name != "x.hcl" {
				write(t, folder, map[string]string{"x.hcl": scenario})
			} else if strings.Contains(c.what, "link") {
				continue // the user names it: it may lie anywhere
			}
			if err := c.put(filepath.Join(folder, name)); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			code, _, errs := labctl(t, nil, "validate", filepath.Join(folder, "x.hcl"))
			if code != 2 || !strings.Contains(errs, name) || !strings.Contains(errs, c.want) || strings.Contains(errs, "secret") {
				t.Errorf("%s is %s: exit %d: %s", name, c.what, code, errs)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("%s is %s: took %s", name, c.what, took)
			}
		}
	}
}

// A lab on standard input has the current folder for its own.
func TestLabOnStdin(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, dir, map[string]string{"x.hcl": oneNode, "class.labvars": "title = \"class\"\n", "wrong": "lab \"x\" {\n  titel = 1\n}\n", "large": strings.Repeat("#\n", labfile.MaxBytes)})
	open := func(path string) *os.File {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	if code, out, errs := labctl(t, open("x.hcl"), "validate", "-"); code != 0 || !strings.Contains(out, "lab files-x") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, _, errs := labctl(t, open("wrong"), "validate", "-"); code != 2 || !strings.Contains(errs, "on <stdin>:2:3") || !strings.Contains(errs, `Did you mean "title"?`) {
		t.Errorf("exit %d: %s", code, errs)
	}
	for name, in := range map[string]*os.File{"a large file": open("large"), "a device": open("/dev/zero")} {
		if code, _, errs := labctl(t, in, "validate", "-"); code != 2 || !strings.Contains(errs, "standard input: it is too large: at most 1 MiB") {
			t.Errorf("%s: exit %d: %s", name, code, errs)
		}
	}
	if code, _, errs := labctl(t, nil, "validate", "-"); code != 2 || !strings.Contains(errs, "which is a terminal") {
		t.Errorf("nothing to read from: exit %d: %s", code, errs)
	}
	emptyEngine := filepath.Join(dir, "docker")
	if err := os.WriteFile(emptyEngine, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := labctl(t, open("x.hcl"), "down", "-"); code != 0 || !strings.Contains(out, "Nothing of lab files-x exists.") {
		t.Errorf("down -: exit %d: %s%s", code, out, errs)
	}
}

// What writes the lab may never end: Ctrl-C does.
func TestStdinIsInterrupted(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	if _, err := newApp(Process{In: in}).find(ctx, "-"); !errors.Is(err, errInterrupted) {
		t.Errorf("%v", err)
	}
}

// The results of verify go into a file, and over nothing else.
func TestJUnitOverNoDevice(t *testing.T) {
	dir := t.TempDir()
	pipe, file := filepath.Join(dir, "pipe"), filepath.Join(dir, "junit.xml")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	r := &lab.Report{Lab: "x"}
	for _, path := range []string{pipe, "/dev/full", dir} {
		if err := writeJUnit(path, r.JUnit); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := writeJUnit(file, r.JUnit); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(file); err != nil || !bytes.Contains(text, []byte("labctl verify x")) {
		t.Errorf("%s, %v", text, err)
	}
}
