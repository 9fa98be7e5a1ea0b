package cli

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
	if got := lookPath("docker", before+":"+real); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// With none, the name alone: to run it fails with "executable file not found".
	if got := lookPath("docker", before); got != "docker" {
		t.Errorf("got %s, want docker", got)
	}
}

// https://kubernetes.io/releases/version-skew-policy/#kubectl
func TestKubectlWithinOneMinor(t *testing.T) {
	for _, row := range []struct {
		client, server string
		fits           bool
	}{
		{"1.35.4", "1.35.4", true},
		{"1.34.0", "1.35.4", true},
		{"1.36.1", "1.35.4", true},
		{"1.33.9", "1.35.4", false},
		{"1.37.0", "1.35.4", false},
		{"1.32.4-dispatcher", "1.35.4", false},
		{"1.35.0-alpha.1+abc", "1.35.4", true},
		{"1.35", "1.35.4", true},
		{"2.35.0", "1.35.4", false},
		{"", "1.35.4", false}, // it did not say
		{"1.35.4", "", false}, // the cluster's is not known
		{"v1.35.4", "1.35.4", true},
		{"vv1.35.4", "1.35.4", false},
	} {
		if got := withinOneMinor(row.client, row.server); got != row.fits {
			t.Errorf("client %q, server %q: %v", row.client, row.server, got)
		}
	}
}

func TestClientVersion(t *testing.T) {
	for text, want := range map[string]string{
		`echo '{"clientVersion":{"gitVersion":"v1.35.2"}}'`: "v1.35.2",
		`echo 'Client Version: v1.35.2'`:                    "", // not what was asked for
		`exit 1`:                                            "",
	} {
		path := filepath.Join(t.TempDir(), "kubectl")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if got := clientVersion(t.Context(), path); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// A link that a shell uses at this moment points to the old target or to the new one.
func TestReplaceLink(t *testing.T) {
	link := filepath.Join(t.TempDir(), "kubectl")
	for _, target := range []string{"/one", "/two", "/two"} {
		if err := replaceLink(target, link); err != nil {
			t.Fatal(err)
		}
		if got, err := os.Readlink(link); err != nil || got != target {
			t.Errorf("%s, %v; want %s", got, err, target)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(link)); err != nil || len(entries) != 1 {
		t.Errorf("%d files are left, %v", len(entries), err)
	}
}
