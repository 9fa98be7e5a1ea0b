//go:build e2e

package hostile

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sandbox is everything that one labctl may see of this machine:
//
//	bin/      the PATH: docker, kubectl and ssh of the tests, a few of the system's tools, and decoys
//	home/     HOME          tmp/   TMPDIR          decoy/  files that nothing may touch
//	state/    LABCTL_HOME   lab/   the working directory, with the lab file
//	engine/   what the engine holds
type sandbox struct {
	dir string
	env []string
}

// A program that must not run leaves this file, and whoever takes a path from the far side may hit it.
const canary = "canary"

// The lab of the tests, and whose it is.
const (
	labName = "hostile"
	owner   = "tester"
	node    = labName + "-control-plane"
	version = "1.35.4"
)

const labFile = `lab "hostile" {}
cluster "kind" "hostile" {
  kubernetes = "1.35"
  node "control-plane" {}
}
scenario "imagepull" {}
`

// freshFile is a lab that has not been made yet.
var freshFile = strings.ReplaceAll(labFile, labName, "fresh")

func (s *sandbox) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

// tools are the system's programs that labctl's own lines for a shell use.
var tools = []string{"sh", "cat", "true", "df", "grep", "mkdir", "mv", "rm", "sleep", "id", "env", "kill", "setsid", "timeout"}

// decoys are programs that a hostile kubeconfig or host names.
var decoys = []string{"canary", "aws", "gke-gcloud-auth-plugin", "curl", "bash"}

const (
	honestKubectl = `#!/bin/sh
case "$1" in version) printf '{"clientVersion":{"gitVersion":"v1.35.4"}}\n';; *) echo "kubectl of the tests: $*";; esac
`
	honestSSH = "#!/bin/sh\necho ssh of the tests\n"
)

// newSandbox makes the folders and programs; without a lab.
func newSandbox(dir, built string) (*sandbox, error) {
	s := &sandbox{dir: dir}
	for _, d := range []string{"bin", "home/.kube", "home/.ssh", "tmp", "decoy", "state", "lab", "engine", "host"} {
		if err := os.MkdirAll(s.path(d), 0o700); err != nil {
			return nil, err
		}
	}
	for _, tool := range tools {
		for _, place := range []string{"/bin/", "/usr/bin/"} {
			if _, err := os.Stat(place + tool); err == nil {
				if err := os.Symlink(place+tool, s.path("bin", tool)); err != nil {
					return nil, err
				}
				break
			}
		}
	}
	files := map[string]string{
		"bin/kubectl": honestKubectl, "bin/ssh": honestSSH, "lab/hostile.hcl": labFile, "lab/fresh.hcl": freshFile,
		"home/.kube/config": "apiVersion: v1\n", "home/.ssh/config": "\n", "decoy/notes": "nothing of labctl's\n",
	}
	for _, name := range decoys {
		files["bin/"+name] = s.bait()
	}
	files["decoy/run"] = s.bait()
	for name, text := range files {
		if err := os.WriteFile(s.path(name), []byte(text), 0o700); err != nil {
			return nil, err
		}
	}
	if err := os.Symlink(filepath.Join(built, "labctl"), s.path("bin", "labctl")); err != nil {
		return nil, err
	}
	// By its own path it finds its engine.
	if err := os.Link(filepath.Join(built, "docker"), s.path("bin", "docker")); err != nil {
		return nil, err
	}
	s.env = []string{
		"PATH=" + s.path("bin"), "HOME=" + s.path("home"), "TMPDIR=" + s.path("tmp"), "LABCTL_HOME=" + s.path("state"), "LABCTL_OWNER=" + owner,
		"SHELL=" + s.path("bin", "sh"), "USER=tester", "LANG=C.UTF-8", "AWS_EC2_METADATA_DISABLED=true",
	}
	return s, nil
}

// bait is a program that leaves the canary.
func (s *sandbox) bait() string { return "#!/bin/sh\n: >>" + s.path(canary) + "\n" }

// copyLab copies the lab of another sandbox: what labctl remembers and what the engine holds. Paths and addresses
// change.
func (s *sandbox) copyLab(from *sandbox, change *strings.Replacer) error {
	for _, part := range []string{"state", "engine"} {
		err := filepath.WalkDir(from.path(part), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(from.dir, path)
			if err != nil {
				return err
			}
			switch {
			case d.IsDir():
				return os.MkdirAll(s.path(rel), 0o700)
			case !d.Type().IsRegular() || d.Name() == "calls":
				return nil // a link that labctl makes anew; what was asked of the other engine
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(s.path(rel), []byte(change.Replace(string(text))), 0o600)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func portOf(address string) string { return address[strings.LastIndex(address, ":")+1:] }

// engineState reads what the engine holds, lets f change it and writes it back.
func (s *sandbox) engineState(t testing.TB, f func(map[string]any)) {
	t.Helper()
	var e map[string]any
	raw, err := os.ReadFile(s.path("engine", "engine.json"))
	if err == nil {
		err = json.Unmarshal(raw, &e)
	}
	if err != nil {
		t.Fatal(err)
	}
	f(e)
	if raw, err = json.Marshal(e); err == nil {
		err = os.WriteFile(s.path("engine", "engine.json"), raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// nodeFile changes a file in the node.
func (s *sandbox) nodeFile(t testing.TB, path, text string) {
	s.engineState(t, func(e map[string]any) { e["files"].(map[string]any)[node+":"+path] = text })
}

// say sets how the engine answers.
func (s *sandbox) say(t testing.TB, behaviour string) { s.write(t, "engine/behaviour", behaviour) }

func (s *sandbox) write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// snapshot is every file outside the lab's own directory, by its content.
func (s *sandbox) snapshot() (map[string]string, error) {
	seen := map[string]string{}
	labs := s.path("state", "labs")
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(path, s.dir)
		switch {
		case path == s.path("engine") || path == s.path("host"),
			filepath.Dir(path) == labs && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{labName, "fresh", "nobodys"}, d.Name())):
			return filepath.SkipDir
		case path == labs: // whether there is any lab
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			seen[rel] = "-> " + to
			return err
		case d.IsDir():
			seen[rel] = "folder"
			return nil
		case !d.Type().IsRegular():
			seen[rel] = d.Type().String()
			return nil
		case path == s.path("bin", "docker"):
			return nil // a link to a file that all sandboxes have
		}
		text, err := os.ReadFile(path)
		info, _ := d.Info()
		seen[rel] = fmt.Sprintf("%x %s", sha256.Sum256(text), info.Mode())
		return err
	})
	return seen, err
}

// changes lists what differs between two snapshots.
func changes(before, after map[string]string) (all []string) {
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if was, is := before[name]; !is {
			all = append(all, "made "+name)
		} else if was != after[name] {
			all = append(all, "changed "+name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, is := after[name]; !is {
			all = append(all, "removed "+name)
		}
	}
	return all
}
