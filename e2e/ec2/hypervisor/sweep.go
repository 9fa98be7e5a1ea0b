package hypervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/labctl/labctl/internal/command"
)

// The labels of what a hypervisor makes.
const (
	labelKind     = "labctl.ec2"          // machine, disk, loading, cloning, images, network
	labelOwner    = "labctl.ec2.owner"    // the process that made it; not on what is shared
	labelInstance = "labctl.ec2.instance" // i-…
	labelPreload  = "labctl.ec2.preload"  // the images that a cache holds, by name
)

// labels are the flags by which docker marks something as this hypervisor's.
func (h *Hypervisor) labels(kind string) []string {
	return []string{"--label", labelKind + "=" + kind, "--label", labelOwner + "=" + h.owner}
}

// self names this process so that no later one has the same name: a process id is used again, but not
// with the same start time.
func self() (string, error) {
	pid := fmt.Sprint(os.Getpid())
	began, err := startTime(pid)
	if err != nil {
		return "", fmt.Errorf("a hypervisor needs Linux: %w", err)
	}
	return pid + "-" + began, nil
}

// startTime is when a process was started, in the kernel's ticks: field 22 of /proc/PID/stat (proc(5)).
func startTime(pid string) (string, error) {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return "", err
	}
	// The second field is the program's name in parentheses and may hold anything.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const index = 22 - 3
	if len(fields) <= index {
		return "", fmt.Errorf("/proc/%s/stat has %d fields", pid, len(fields)+2)
	}
	return fields[index], nil
}

// ended tells that the process that made something does not run any more.
func ended(owner string) bool {
	pid, began, _ := strings.Cut(owner, "-")
	now, err := startTime(pid)
	return err != nil || now != began
}

// Sweep removes from an engine what hypervisors made whose processes have ended. What running ones made, and
// the cache of preloaded images, stays.
func Sweep(ctx context.Context, runner command.Runner) error {
	return engine{runner}.removeAll(ctx, ended)
}

// removeAll removes everything whose owner is chosen, and the network when nobody is on it any more.
func (e engine) removeAll(ctx context.Context, chosen func(owner string) bool) error {
	const format = `{{.Label "` + labelOwner + `"}} `
	var failed error
	for _, kind := range []struct{ list, remove []string }{
		{[]string{"ps", "--all", "--format", format + "{{.Names}}"}, []string{"rm", "--force", "--volumes"}},
		{[]string{"volume", "ls", "--format", format + "{{.Name}}"}, []string{"volume", "rm", "--force"}},
	} {
		out, err := e.run(ctx, nil, append(kind.list, "--filter", "label="+labelOwner)...)
		if err != nil {
			return errors.Join(failed, err)
		}
		var names []string
		for line := range strings.Lines(out) {
			if owner, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok && chosen(owner) {
				names = append(names, name)
			}
		}
		if len(names) == 0 {
			continue
		}
		if _, err := e.run(ctx, nil, append(kind.remove, names...)...); err != nil && !missing(err) {
			failed = errors.Join(failed, err)
		}
	}
	return errors.Join(failed, e.removeNetwork(ctx))
}
