package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/fault"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/internal/untrusted"
	"github.com/labctl/labctl/provision"
)

// inventory is a file in the cache volume that says which build of which image it holds, one
// "name id" a line.
const inventory = "/var/lib/registry/labctl.images"

// fillTimeout bounds the filling; pushing within one host takes seconds.
const fillTimeout = 10 * time.Minute

// fill puts into the cache what is missing there. The registry that the nodes reach is read-only, so
// a second one, writable, is run beside it on the same volume: it listens on the host's loopback
// only, is not on the nodes' network, and is removed at once.
func (m *Mirror) fill(ctx context.Context, sink event.Sink, images []localImage) error {
	held, err := m.held(ctx)
	if err != nil {
		return err
	}
	missing := lacks(held, images)
	if len(missing) == 0 {
		return m.removeFiller(ctx) // that of a run which was killed at its end
	}
	ctx, cancel := context.WithTimeout(ctx, fillTimeout)
	defer cancel()
	address, err := m.startFiller(ctx)
	if err != nil {
		return err
	}
	for _, i := range missing {
		sink.Emit(event.Progress{Addr: m.Addr(), Step: "filling in " + i.name, Expect: 2 * time.Second})
		if err := m.push(ctx, address, i.name); err != nil {
			return err
		}
	}
	merged := merge(held, images)
	if _, err := m.Engine.Change(ctx, state.Act{Verb: "docker exec", Object: m.filler(), Addr: m.Addr(), Detail: "write " + inventory},
		strings.NewReader(merged), "exec", "-i", m.filler(), "sh", "-c", "cat > "+inventory+".tmp && mv "+inventory+".tmp "+inventory); err != nil {
		return err
	}
	return m.removeFiller(ctx)
}

// fillers returns this lab's writable registry, where there is one.
func (m *Mirror) fillers(ctx context.Context) ([]docker.Container, error) {
	named, err := m.Engine.Named(ctx, m.filler())
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(named, func(c docker.Container) bool { return !m.Marks.On(c.Labels) }), nil
}

// removeFiller removes the writable registry, and before it the names that images were given to be
// pushed there: they carry no mark, and only the registry's port tells whose they are.
func (m *Mirror) removeFiller(ctx context.Context) error {
	fillers, err := m.fillers(ctx)
	if err != nil || len(fillers) == 0 {
		return err
	}
	if address, err := m.fillerAddress(ctx); err == nil && address != "" {
		all, err := m.Engine.Output(ctx, "images", "--format", "{{.Repository}}:{{.Tag}}")
		if err != nil {
			return err
		}
		for _, name := range strings.Fields(all) {
			if !strings.HasPrefix(name, address+"/") {
				continue
			}
			if err := m.untag(ctx, name); err != nil {
				return err
			}
		}
	}
	return m.Engine.Remove(ctx, m.Addr(), fillers...)
}

// fillerAddress is where the engine reaches the writable registry: a port of its own loopback. One
// that does not run has none.
func (m *Mirror) fillerAddress(ctx context.Context) (string, error) {
	published, err := m.Engine.Output(ctx, "port", m.filler(), port+"/tcp")
	address, _, _ := strings.Cut(strings.TrimSpace(published), "\n")
	return address, err
}

// held reads the cache's inventory; an empty cache has none.
func (m *Mirror) held(ctx context.Context) (string, error) {
	text, err := m.Engine.Output(ctx, "exec", m.container(), "cat", inventory)
	if err != nil && !strings.Contains(err.Error(), "No such file") {
		return "", fmt.Errorf("reading what the mirror holds: %w", err)
	}
	return text, nil
}

// lacks returns the images that an inventory does not name in their present builds.
func lacks(held string, images []localImage) (missing []localImage) {
	for _, i := range images {
		if !strings.Contains(held, i.name+" "+i.ID+"\n") {
			missing = append(missing, i)
		}
	}
	return missing
}

// merge replaces the lines of the images in an inventory and keeps the others: another lab of the
// same owner fills the same cache.
func merge(held string, images []localImage) string {
	var out strings.Builder
	for line := range strings.Lines(held) {
		name, _, _ := strings.Cut(line, " ")
		replaced := false
		for _, i := range images {
			replaced = replaced || i.name == name
		}
		if !replaced {
			out.WriteString(line)
		}
	}
	for _, i := range images {
		fmt.Fprintf(&out, "%s %s\n", i.name, i.ID)
	}
	return out.String()
}

// startFiller runs the writable registry and returns its address on the host once it listens.
func (m *Mirror) startFiller(ctx context.Context) (string, error) {
	if err := m.removeFiller(ctx); err != nil {
		return "", err
	}
	strangers, err := m.Engine.Named(ctx, m.filler())
	if err != nil {
		return "", err
	}
	if len(strangers) > 0 {
		return "", fault.New(fault.Refused, "container %s exists and is not this lab's; it is left alone", m.filler()).
			WithNext("Give this lab a name of its own with --name, or remove that container yourself.")
	}
	args := []string{"run", "--detach", "--name", m.filler(), "--publish", "127.0.0.1::" + port, "--volume", m.volume() + ":/var/lib/registry"}
	args = append(args, provision.Flags(m.Marks.Labels())...)
	if _, err := m.Engine.Change(ctx, state.Act{Verb: "docker run", Object: m.filler(), Addr: m.Addr()}, nil, append(args, registryImage)...); err != nil {
		return "", err
	}
	if err := m.awaitListening(ctx); err != nil {
		return "", err
	}
	return m.fillerAddress(ctx)
}

// awaitListening follows the registry's log until it says that it listens.
func (m *Mirror) awaitListening(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	said, found := untrusted.NewTail(4<<10), false
	log := untrusted.Lines(4<<10, func(line string) {
		if strings.Contains(line, "listening on") {
			found = true
			cancel()
		}
		_, _ = said.Write([]byte(line + "\n"))
	})
	err := m.Engine.Runner.Run(ctx, docker.Command{Argv: []string{"docker", "logs", "--follow", m.filler()}, Stdout: log, Stderr: log})
	if found {
		return nil
	}
	if err == nil {
		err = errors.New("it has ended")
	}
	return fmt.Errorf("the registry in %s does not listen: %w; it says: %s", m.filler(), err, said)
}

// push pushes an image into the registry at address, where containerd will look for it: an image
// without a path of its own is Docker Hub's library/NAME.
func (m *Mirror) push(ctx context.Context, address, name string) error {
	target := address + "/" + repository(name)
	if _, err := m.Engine.Change(ctx, state.Act{Verb: "docker tag", Object: target, Addr: m.Addr()}, nil, "tag", name, target); err != nil {
		return err
	}
	_, err := m.Engine.Change(ctx, state.Act{Verb: "docker push", Object: target, Addr: m.Addr()}, nil, "push", target)
	if err != nil {
		err = fmt.Errorf("filling %s into the mirror: %w", name, err)
	}
	if derr := m.untag(ctx, target); err == nil {
		err = derr
	}
	return err
}

func repository(name string) string {
	name = strings.TrimPrefix(name, "docker.io/")
	if !strings.Contains(name, "/") {
		return "library/" + name
	}
	return name
}

// untag removes a name that push made; the image itself has another and stays.
func (m *Mirror) untag(ctx context.Context, target string) error {
	_, err := m.Engine.Change(ctx, state.Act{Verb: "docker rmi", Object: target, Addr: m.Addr()}, nil, "rmi", "--no-prune", target)
	if err != nil && strings.Contains(strings.ToLower(err.Error()), "no such image") {
		return nil
	}
	return err
}

// dropTags removes the names that a killed labctl left behind. The journal knows them.
func (m *Mirror) dropTags(ctx context.Context) error {
	records, err := m.Engine.Journal.Records()
	if err != nil {
		return nil // a damaged journal does not keep a lab up
	}
	open := map[string]bool{}
	for _, r := range records {
		switch {
		case r.Verb == "docker tag" && r.Phase == state.Begin:
			open[r.Object] = true
		case r.Verb == "docker rmi" && r.Phase == state.Done:
			delete(open, r.Object)
		}
	}
	for target := range open {
		if err := m.untag(ctx, target); err != nil {
			return err
		}
	}
	return nil
}
