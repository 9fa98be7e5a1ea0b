package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/provision/mirror"
)

const thisMachine = "this machine"

// findHere looks for what is left on this machine's Docker.
func (m *Machine) findHere(ctx context.Context, _ CollectOptions, result *Collection) error {
	owner, err := m.owner()
	if err != nil {
		return err
	}
	home, err := m.Home()
	if err != nil {
		return err
	}
	engine, path := m.Docker()
	if !filepath.IsAbs(path) {
		result.Skipped = append(result.Skipped, "this machine's Docker, since there is no docker command")
		return nil
	}
	containers, err := engine.Containers(ctx, provision.LabelLab, provision.LabelOwner+"="+owner)
	if err != nil {
		return engineAway(err)
	}
	left := map[string][]string{}
	for _, c := range containers {
		left[c.Labels[provision.LabelLab]] = append(left[c.Labels[provision.LabelLab]], "container "+c.Name)
	}
	if err := labVolumes(ctx, engine, owner, left); err != nil {
		return err
	}
	for _, lab := range slices.Sorted(maps.Keys(left)) {
		if _, err := home.Lab(lab).Load(); !errors.Is(err, fs.ErrNotExist) {
			continue // it is up, or was; `labctl status` shows it
		}
		result.Found = append(result.Found, Finding{
			Where: thisMachine, Lab: lab, Owner: owner, Mine: true, What: left[lab], State: "without state",
			Why: fmt.Sprintf("another LABCTL_HOME may know it; `labctl down %s` removes it", lab),
		})
	}
	return m.findCaches(ctx, engine, home, owner, result)
}

// labVolumes adds the volumes of each lab.
func labVolumes(ctx context.Context, engine *docker.Engine, owner string, left map[string][]string) error {
	out, err := engine.Output(ctx, "volume", "ls", "--filter", "label="+provision.LabelLab, "--filter", "label="+provision.LabelOwner+"="+owner,
		"--format", `{{.Name}} {{.Label "`+provision.LabelLab+`"}}`)
	if err != nil {
		return engineAway(err)
	}
	for line := range strings.Lines(out) {
		if name, lab, _ := strings.Cut(strings.TrimSpace(line), " "); lab != "" {
			left[lab] = append(left[lab], "volume "+name)
		}
	}
	return nil
}

// findCaches lists the owner's caches of images, and has those removed that no lab uses.
func (m *Machine) findCaches(ctx context.Context, engine *docker.Engine, home state.Home, owner string, result *Collection) error {
	caches, err := engine.Volumes(ctx, mirror.LabelCache+"=mirror", provision.LabelOwner+"="+owner)
	if err != nil {
		return engineAway(err)
	}
	here, err := localLabs(home)
	if err != nil {
		return err
	}
	for _, name := range caches {
		f := Finding{Where: thisMachine, Owner: owner, Mine: true, What: []string{"volume " + name}, State: "cache of images"}
		users, err := engine.Output(ctx, "ps", "-a", "--filter", "volume="+name, "--format", "{{.Names}}")
		switch names := strings.Fields(users); {
		case err != nil:
			return engineAway(err)
		case len(names) > 0:
			f.Why = "container " + strings.Join(names, ", ") + " uses it"
		case len(here) > 0:
			// Its `up` may be about to.
			f.Why = "lab " + strings.Join(here, ", ") + " is here and may use it"
		default:
			f.Remove, f.Why = true, "no lab uses it; the next one fills it again"
			f.collect = func(ctx context.Context) ([]string, error) { return collectVolume(ctx, engine, name) }
		}
		result.Found = append(result.Found, f)
	}
	return nil
}

// localLabs lists the labs that this machine's Docker may be working for.
func localLabs(home state.Home) ([]string, error) {
	names, err := home.Labs()
	return slices.DeleteFunc(names, func(name string) bool {
		st, err := home.Lab(name).Load()
		return err == nil && len(st.Host) > 0 && !st.Local
	}), err
}

// collectVolume removes a volume that belongs to no lab. Docker refuses while a container uses it.
func collectVolume(ctx context.Context, engine *docker.Engine, name string) ([]string, error) {
	// There is no lab whose journal could hold the act. It needs none: it is one command, and gc finds
	// the volume again when that did not come through.
	dir, err := os.MkdirTemp("", "labctl-gc-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	journal, err := state.Home{Dir: dir}.Lab("gc").OpenJournal()
	if err != nil {
		return nil, err
	}
	with := &docker.Engine{Runner: engine.Runner, Journal: journal}
	if err := with.RemoveVolumes(ctx, "gc", name); err != nil {
		return nil, err
	}
	return []string{"volume " + name}, nil
}
