package mirror

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/go-multierror"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

// inventory is a file in the cache volume that says which build of which image it holds, one
// "name id" a line.
const inventory = "/var/lib/registry/labctl.images"

const (
	storeTimeout = 5 * time.Minute // of one image; within one host it takes seconds
	pullTimeout  = 10 * time.Minute
)

// store is run in a container beside the registry, with the same volume, writable, and no network: no port is
// opened through which others could write meanwhile.
//
//go:embed store.sh
var store string

// Milestone is reached when the mirror serves an image.
func Milestone(image string) string { return "image:" + image }

// fill gets each image and puts into the cache what is missing there: first those that the engine has. One that
// cannot be had keeps no other from being served; all that are lacking are told together.
func (m *Mirror) fill(ctx context.Context, sink event.Sink, have []localImage, missing []string) error {
	held, err := m.held(ctx)
	if err != nil {
		return err
	}
	if err := m.removeFiller(ctx); err != nil {
		return err
	}
	var lacking *multierror.Error
	serve := func(i localImage) {
		if err := m.put(ctx, sink, held, i); err != nil {
			lacking = multierror.Append(lacking, fmt.Errorf("filling %s into the mirror: %w", i.name, err))
			return
		}
		sink.Emit(event.Milestone{Addr: m.Addr(), Name: Milestone(i.name)})
	}
	for _, i := range have {
		serve(i)
	}
	for _, name := range missing {
		if holds(held, name) { // removed from the engine since
			sink.Emit(event.Milestone{Addr: m.Addr(), Name: Milestone(name)})
			continue
		}
		i, err := m.get(ctx, sink, name)
		if err != nil {
			lacking = multierror.Append(lacking, err)
			continue
		}
		serve(i)
	}
	return lacking.ErrorOrNil()
}

// get pulls an image.
func (m *Mirror) get(ctx context.Context, sink event.Sink, name string) (localImage, error) {
	sink.Emit(event.Progress{Addr: m.Addr(), Step: "pulling " + name})
	if err := m.Engine.Pull(ctx, m.Addr(), name, pullTimeout); err != nil {
		return localImage{}, clierr.New(clierr.Failed, "image %s cannot be had: %w", name, err).
			WithNext("Without a registry, `make mirror-images` in labctl's repository builds substitute images on this machine.")
	}
	found, ok, err := m.Engine.Image(ctx, name)
	if err == nil && !ok {
		err = errors.New("it was pulled and is not there")
	}
	if err != nil {
		return localImage{}, fmt.Errorf("image %s: %w", name, err)
	}
	return localImage{name, found}, nil
}

// put stores one image in the cache, if its present build is not there.
func (m *Mirror) put(ctx context.Context, sink event.Sink, held string, i localImage) error {
	if len(lacks(held, []localImage{i})) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, storeTimeout, fmt.Errorf("it was not stored within %s", count.Duration(storeTimeout)))
	defer cancel()
	sink.Emit(event.Progress{Addr: m.Addr(), Step: "filling in " + i.name, Expect: 2 * time.Second})
	r := parse(i.name)
	to := []string{"run", "--rm", "--interactive", "--name", m.filler(), "--network", "none", "--volume", m.volume() + ":/var/lib/registry", "--entrypoint", "sh"}
	to = append(to, provision.Flags(m.Ownership.Labels())...)
	to = append(to, m.registry, "-c", store, "sh", r.path(), r.tag, i.name, i.ID)
	_, err := m.Engine.Pipe(ctx, state.Act{Verb: "docker run", Object: m.filler(), Addr: m.Addr(), Detail: "store " + i.name}, []string{"save", i.name}, to)
	return err
}

// removeFiller removes what a killed run has left, and refuses a stranger's container of that name.
func (m *Mirror) removeFiller(ctx context.Context) error {
	named, err := m.Engine.Named(ctx, m.filler())
	if err != nil || len(named) == 0 {
		return err
	}
	if !m.Ownership.On(named[0].Labels) {
		return m.stranger(named[0])
	}
	return m.Engine.Remove(ctx, m.Addr(), named...)
}

func (m *Mirror) stranger(c docker.Container) error {
	return clierr.New(clierr.Refused, "container %s exists and is not this lab's; it is left alone", c.Name).
		WithNext("Give this lab a name of its own with --name, or remove that container yourself.")
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
		if !strings.Contains("\n"+held, "\n"+i.name+" "+i.ID+"\n") {
			missing = append(missing, i)
		}
	}
	return missing
}

// holds tells whether an inventory names an image, in any build.
func holds(held, name string) bool { return strings.Contains("\n"+held, "\n"+name+" ") }
