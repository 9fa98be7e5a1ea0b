package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The docker that labctl uses is never labctl itself, which stands in for docker on kind's PATH.
func TestLookPathPassesItself(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	folder := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	shim, linked, notExecutable, directory, real := folder("shim"), folder("linked"), folder("plain"), folder("directory"), folder("real")
	for path, target := range map[string]string{shim: self, linked: filepath.Join(shim, "docker")} {
		if err := os.Symlink(target, filepath.Join(path, "docker")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(notExecutable, "docker"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(directory, "docker"), 0o755); err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(real, "docker")
	if err := os.WriteFile(want, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	before := strings.Join([]string{shim, linked, notExecutable, directory, filepath.Join(dir, "absent")}, ":")
	if got := (&Machine{Environ: []string{"PATH=" + before + ":" + real}}).LookPath("docker"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// With none, the name alone: to run it fails with "executable file not found".
	if got := (&Machine{Environ: []string{"PATH=" + before}}).LookPath("docker"); got != "docker" {
		t.Errorf("got %s, want docker", got)
	}
}
