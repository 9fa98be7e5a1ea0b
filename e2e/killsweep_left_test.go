//go:build e2e

package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// graceToDie is how long a process that the kernel has killed may take to be gone: three clusters are being made beside it.
const graceToDie = 5 * time.Second

// noProcesses: nothing that labctl started lives after its death: no kind, no docker shim, no docker command. They are known by LABCTL_HOME in their environment, which each inherits.
func (v *victim) noProcesses() {
	v.Helper()
	var alive []string
	for deadline := time.Now().Add(graceToDie); ; time.Sleep(20 * time.Millisecond) {
		if alive = processesOf(v.home); len(alive) == 0 || time.Now().After(deadline) {
			break
		}
	}
	v.check(len(alive) == 0, "alive %s after labctl's death:\n  %s", graceToDie, strings.Join(alive, "\n  "))
}

// processesOf lists the processes that belong to a labctl home.
func processesOf(home string) []string {
	mark := "LABCTL_HOME=" + home + "\x00"
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	var found []string
	for _, dir := range dirs {
		// One that has ended meanwhile cannot be read, and of one that waits to be reaped nothing is left.
		env, _ := os.ReadFile(filepath.Join(dir, "environ"))
		if !strings.Contains(string(env), mark) {
			continue
		}
		line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		found = append(found, filepath.Base(dir)+": "+strings.ReplaceAll(strings.TrimRight(string(line), "\x00"), "\x00", " "))
	}
	return found
}

// left lists everything that is left of the lab, on the engine and on the disk. What it cannot look at
// counts as left.
func (v *victim) left() []string {
	found := left(v.owner(), v.name)
	entries, err := os.ReadDir(filepath.Join(v.home, "labs")) // hidden ones as well
	if err != nil && !os.IsNotExist(err) {
		found = append(found, err.Error())
	}
	for _, e := range entries {
		found = append(found, "directory "+e.Name())
	}
	err = filepath.WalkDir(v.user, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path == filepath.Join(v.user, ".kube", "cache") {
			return fs.SkipDir // kubectl's own, of what it has asked
		}
		if err == nil && !d.IsDir() {
			found = append(found, "file "+path)
		}
		return err
	})
	if err != nil {
		found = append(found, err.Error())
	}
	return found
}

// left lists containers, volumes, endpoints and names of images. Owners are known by how they begin;
// lab is the lab's name, or "" for any of theirs.
func left(owner, lab string) []string {
	var found []string
	ask := func(what string, keep func(fields []string) bool, args ...string) {
		out, err := output(around.command(args...))
		if err != nil && strings.Contains(err.Error(), "network kind not found") {
			return // no cluster was ever made on this engine
		}
		if err != nil {
			found = append(found, fmt.Sprintf("%s: cannot be listed: %v", what, err))
			return
		}
		for _, line := range strings.Split(out, "\n") {
			if line != "" && keep(strings.Split(line, "|")) {
				found = append(found, what+" "+line)
			}
		}
	}
	named := func(name string) bool {
		return lab != "" && (strings.HasPrefix(name, lab+"-") || name == "labctl-mirror-"+lab || name == "labctl-mirror-"+lab+"-fill")
	}
	owned := func(by string) bool { return by == owner || lab == "" && strings.HasPrefix(by, owner) }
	ask("container", func(f []string) bool { return owned(f[1]) || named(f[0]) },
		"ps", "-a", "--format", `{{.Names}}|{{.Label "labctl.owner"}}|{{.State}}`)
	ask("volume", func(f []string) bool { return owned(f[1]) && f[2] == "" },
		"volume", "ls", "--format", `{{.Name}}|{{.Label "labctl.owner"}}|{{.Label "labctl.cache"}}`)
	ask("endpoint on network kind of", func(f []string) bool { return named(f[0]) },
		"network", "inspect", "--format", "{{range .Containers}}{{println .Name}}{{end}}", "kind")
	for _, tag := range danglingTags() {
		found = append(found, "name of an image "+tag)
	}
	return found
}

// danglingTags lists the names that images have for a registry on loopback which is not there. Other
// labs push at the same time, so only what stays counts.
func danglingTags() []string {
	var dangling []string
	for range 3 {
		images, err := output(around.command("images", "--format", "{{.Repository}}:{{.Tag}}"))
		if err != nil {
			return []string{err.Error()}
		}
		ports, err := output(around.command("ps", "--format", "{{.Ports}}"))
		if err != nil {
			return []string{err.Error()}
		}
		var now []string
		for _, name := range strings.Fields(images) {
			address, _, _ := strings.Cut(name, "/")
			if strings.HasPrefix(name, "127.0.0.1:") && !strings.Contains(ports, address+"->") {
				now = append(now, name)
			}
		}
		if dangling = now; len(dangling) == 0 {
			break
		}
	}
	return dangling
}
