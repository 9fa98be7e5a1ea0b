//go:build e2e

package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// usersKubeconfig is what stands in ~/.kube/config before a test, and has to stand there after it.
const usersKubeconfig = "apiVersion: v1\nkind: Config\ncurrent-context: mine # and none of labctl's business\n"

// lab is the lab of TestScriptsLab.
const theLab = "e2e"

// TestScriptsAlone: what labctl does without a cluster of its own. The scripts are independent of each other.
func TestScriptsAlone(t *testing.T) {
	testscript.Run(t, params("alone", ""))
}

// TestScriptsLab takes the three-node lab of labs/day10.hcl through its life. The scripts are run in the
// order of their names on one cluster; each leaves it as the next expects it.
func TestScriptsLab(t *testing.T) {
	home := around.state
	if home == "" {
		home = t.TempDir()
		t.Cleanup(func() {
			if err := around.sweep(owners["lab"]); err != nil {
				t.Errorf("removing the tests' labs: %v", err)
			}
		})
	}
	p := params("lab", home)
	for _, script := range scripts(t, "lab") {
		p.Files = []string{script}
		inOrder(t, p)
		if t.Failed() && filepath.Base(script) == "10-up.txtar" {
			t.Fatal("without that lab, none of what follows can be seen")
		}
		if filepath.Base(script) == lastOnCleanLab {
			t.Run("catalogue", func(t *testing.T) { proveCatalogue(t, theLab, home) })
		}
	}
}

// TestScriptsSmall breaks labs of one node as a whole: interrupted, without their state, without disk.
func TestScriptsSmall(t *testing.T) {
	t.Cleanup(func() {
		if err := around.sweep(owners["small"]); err != nil {
			t.Errorf("removing the tests' labs: %v", err)
		}
	})
	p := params("small", "")
	p.Files = scripts(t, "small")
	inOrder(t, p)
}

// TestScriptsOwn uses labs whose scenarios stand in their own files.
func TestScriptsOwn(t *testing.T) {
	t.Cleanup(func() {
		if err := around.sweep(owners["own"]); err != nil {
			t.Errorf("removing the tests' labs: %v", err)
		}
		_ = around.command("rm", "--force", "--volumes", "labctl-e2e-proxy").Run() // of a script that failed
	})
	p := params("own", "")
	p.Files = scripts(t, "own")
	inOrder(t, p)
}

// scripts lists a folder's scripts, sorted.
func scripts(t *testing.T, folder string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("testdata", "script", folder, "*.txtar"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no scripts in %s: %v", folder, err)
	}
	return found
}

// params is how a folder's scripts are run. home, where it is not empty, is shared by them all: it
// holds labctl's state and the user's home directory.
func params(folder, home string) testscript.Params {
	p := testscript.Params{RequireUniqueNames: true, Cmds: commands}
	if home == "" {
		p.Dir = filepath.Join("testdata", "script", folder)
	}
	p.Setup = func(env *testscript.Env) error {
		dir := home
		if dir == "" {
			dir = env.WorkDir
		}
		env.Setenv("PATH", around.bin+string(os.PathListSeparator)+env.Getenv("PATH"))
		env.Setenv("LABCTL", filepath.Join(around.bin, "labctl"))
		env.Setenv("DOCKER", around.docker)
		env.Setenv("DOCKER_HOST", around.host)
		env.Setenv("SHELL", "/bin/bash")
		env.Setenv("LABCTL_OWNER", owners[folder])
		env.Setenv("LABCTL_HOME", filepath.Join(dir, "state"))
		env.Setenv("HOME", filepath.Join(dir, "home"))
		env.Setenv("OWN", around.own)
		env.Setenv("FORWARD_PROXY", around.proxy)
		env.Setenv("LABFILE_DOCS", around.docs)
		env.Setenv("SCENARIOS", around.scenarios)
		env.Values[background{}] = map[string]*process{}
		return writeOnce(filepath.Join(dir, "home", ".kube", "config"), usersKubeconfig)
	}
	return p
}

func writeOnce(path, text string) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o600)
}

// inOrder runs scripts one after the other; testscript itself runs all of them side by side.
func inOrder(t *testing.T, p testscript.Params) {
	if deadline, ok := t.Deadline(); ok {
		p.Deadline = deadline
	}
	p.Dir = ""
	testscript.RunT(ordered{t}, p)
}

type ordered struct{ *testing.T }

func (o ordered) Parallel()     {}
func (o ordered) Verbose() bool { return testing.Verbose() }
func (o ordered) Run(name string, f func(testscript.T)) {
	o.T.Run(name, func(t *testing.T) { f(ordered{t}) })
}
