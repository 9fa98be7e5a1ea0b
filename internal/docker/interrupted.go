package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/internal/untrusted"
)

// An engine goes on with a request although the command that made it is gone.
const (
	// lateWindow is how long a request of a command that was killed may take until it shows. Making a
	// container takes the engine some 0.1 s, copying an image's files into its volumes not included.
	lateWindow = 2 * time.Second
	// busyTimeout bounds what shows: that copying (a kind node's volume takes 400 to 900 MB), a removal.
	busyTimeout = 2 * time.Minute
)

// AwaitInterruptedOps waits until nothing that an earlier, killed process asked of the engine can take effect any
// more, and records that in the journal; without such acts it returns at once. The labels are those
// that the lab's containers and volumes carry. The caller holds the lab's lock, so whatever is
// unfinished is nobody's. When finish is set, what was being stopped is stopped: a container about
// to go still looks as if it ran.
//
// An engine that does not answer is no error: nothing is settled then, and the next act will say why.
func (e *Engine) AwaitInterruptedOps(ctx context.Context, finish bool, labels ...string) error {
	unfinished, err := e.Journal.Unfinished()
	// Acts on a host are that host's to settle.
	unfinished = slices.DeleteFunc(unfinished, func(act state.Record) bool { return !strings.HasPrefix(act.Verb, "docker ") })
	if err != nil || len(unfinished) == 0 {
		// What is damaged says nothing. `down` then goes by the marks, see AwaitLate.
		return nil //nolint:nilerr
	}
	late, names := false, []string{}
	for _, act := range unfinished {
		switch act.Verb {
		case "docker run", "docker create":
			late, names = true, append(names, act.Object)
		case "docker start", "docker rm":
			late = true
		}
	}
	if late {
		err = e.AwaitLate(ctx, names, labels...)
	}
	if err == nil && finish {
		err = e.finishStops(ctx, unfinished, labels)
	}
	if errors.Is(err, ErrNoEngine) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("waiting for what a killed labctl left under way: %w", err)
	}
	err = e.Journal.Abandon(unfinished)
	if errors.Is(err, syscall.ENOSPC) {
		return nil // `down` makes room; until then each command settles the same acts again
	}
	return err
}

// AwaitLate waits for containers with these labels which the engine may still be making for a command
// that was killed: until those of the names are there, or the time in which they would have come is
// over. No names: any may come. Removals under way are waited for too, and volumes that belong to no
// container are removed.
func (e *Engine) AwaitLate(ctx context.Context, names []string, labels ...string) error {
	if err := e.awaitCreated(ctx, names, labels); err != nil {
		return err
	}
	removing := append(labelFilters(labels), "--filter", "status=removing")
	err := poll(ctx, func(ctx context.Context) (busy string, err error) {
		left, err := e.list(ctx, removing)
		if len(left) > 0 {
			busy = "container " + left[0].Name + " is being removed"
		}
		return busy, err
	})
	if err != nil {
		return err
	}
	return e.removeOrphans(ctx, labels)
}

// removeOrphans removes volumes with these labels that no container has. While the engine fills a new
// container's volume, or empties that of one which it removes, the container is in no list, but its
// volume is, and cannot be removed: removeOrphans waits for that to end.
func (e *Engine) removeOrphans(ctx context.Context, labels []string) error {
	return poll(ctx, func(ctx context.Context) (busy string, err error) {
		volumes, err := e.Volumes(ctx, labels...)
		if err != nil {
			return "", err
		}
		for _, name := range volumes {
			users, err := e.users(ctx, name)
			if err != nil {
				return "", err
			}
			if len(users) > 0 {
				continue
			}
			inUse, err := e.removeVolume(ctx, "", name)
			if err != nil {
				return "", err
			}
			if inUse {
				busy = "volume " + name + " is in use by a container that is in no list"
			}
		}
		return busy, nil
	})
}

var errBusy = fmt.Errorf("not after %s", count.Duration(busyTimeout))

// poll asks until nothing is busy any more. The engine's events are no help here: the one that matters
// may have passed already.
func poll(ctx context.Context, ask func(context.Context) (busy string, err error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, busyTimeout, errBusy)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		busy, err := ask(ctx)
		if err != nil || busy == "" {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", busy, context.Cause(ctx))
		}
	}
}

// awaitCreated follows the engine's events until containers of all the names were made, for at most
// lateWindow.
func (e *Engine) awaitCreated(ctx context.Context, names, labels []string) error {
	there, err := e.Containers(ctx, labels...)
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return slices.ContainsFunc(there, func(c Container) bool { return c.Name == name })
	})
	if len(names) > 0 && len(missing) == 0 {
		return nil
	}
	window, cancel := context.WithTimeout(ctx, lateWindow)
	defer cancel()
	args := []string{"docker", "events", "--filter", "type=container", "--filter", "event=create", "--format", "{{.Actor.Attributes.name}}"}
	for _, l := range labels {
		args = append(args, "--filter", "label="+l)
	}
	watch := untrusted.Lines(maxEvent, awaitAll(missing, cancel))
	err = e.Runner.Run(window, command.Command{Argv: args, Stdout: watch})
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil:
		// The engine has ended its list of events, which says nothing about what it still makes.
		select {
		case <-window.Done():
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		return nil
	case window.Err() != nil:
		return nil
	}
	return noEngine(err)
}

// maxEvent bounds the line of an event, which is the name of a container.
const maxEvent = 4 << 10

// awaitAll returns a function that takes the names of new containers and calls done when it has had all
// that are missing; where none is named, any may come and none is the last.
func awaitAll(missing []string, done func()) func(name string) {
	left := slices.Clone(missing)
	return func(name string) {
		left = slices.DeleteFunc(left, func(m string) bool { return m == name })
		if len(missing) > 0 && len(left) == 0 {
			done()
		}
	}
}

// finishStops stops again what was being stopped and is ours.
func (e *Engine) finishStops(ctx context.Context, unfinished []state.Record, labels []string) error {
	for _, act := range unfinished {
		if act.Verb != "docker stop" {
			continue
		}
		named, err := e.list(ctx, append(labelFilters(labels), "--filter", "name=^/"+act.Object+"$", "--filter", "status=running"))
		if err != nil {
			return err
		}
		if err := e.Stop(ctx, act.Addr, "10", named...); err != nil {
			return err
		}
	}
	return nil
}
