package docker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/go-multierror"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/state"
)

// Remove removes containers, running or not, with their anonymous volumes, by one command: side by
// side they only wait for one another in the engine. One that is gone already is no error.
func (e *Engine) Remove(ctx context.Context, addr string, containers ...Container) error {
	if len(containers) == 0 {
		return nil
	}
	args := []string{"rm", "--force", "--volumes"}
	var names []string
	for _, c := range containers {
		args, names = append(args, c.ID), append(names, c.Name)
	}
	_, err := e.Change(ctx, state.Act{Verb: "docker rm", Object: strings.Join(names, " "), Addr: addr}, nil, args...)
	if err == nil {
		return nil
	}
	// Somebody else may have removed one meanwhile; what counts is whether any is left.
	left, lerr := e.Named(ctx, names...)
	if lerr == nil && len(left) == 0 {
		return nil
	}
	if ctx.Err() == nil && strings.Contains(err.Error(), "already in progress") {
		return e.awaitGone(ctx, names)
	}
	return err
}

// awaitGone waits for a removal under way: that of a labctl which was killed meanwhile.
func (e *Engine) awaitGone(ctx context.Context, names []string) error {
	return poll(ctx, func(ctx context.Context) (busy string, err error) {
		left, err := e.Named(ctx, names...)
		if len(left) > 0 {
			busy = "container " + left[0].Name + " is being removed"
		}
		return busy, err
	})
}

// Start starts containers one after the other, so that the engine gives out addresses in that
// order.
func (e *Engine) Start(ctx context.Context, addr string, containers ...Container) error {
	for _, c := range containers {
		if _, err := e.Change(ctx, state.Act{Verb: "docker start", Object: c.Name, Addr: addr}, nil, "start", c.ID); err != nil {
			return err
		}
	}
	return nil
}

// Stop stops containers side by side; seconds is how long each may take before it is killed.
func (e *Engine) Stop(ctx context.Context, addr, seconds string, containers ...Container) error {
	return e.each(containers, func(c Container) error {
		_, err := e.Change(ctx, state.Act{Verb: "docker stop", Object: c.Name, Addr: addr}, nil, "stop", "--time", seconds, c.ID)
		return err
	})
}

// RemoveVolumes removes volumes by name. One that is gone already is no error.
func (e *Engine) RemoveVolumes(ctx context.Context, addr string, names ...string) error {
	var failed *multierror.Error
	for _, name := range names {
		_, err := e.Change(ctx, state.Act{Verb: "docker volume rm", Object: name, Addr: addr}, nil, "volume", "rm", name)
		if err != nil && !strings.Contains(strings.ToLower(err.Error()), "no such volume") {
			failed = multierror.Append(failed, err)
		}
	}
	return failed.ErrorOrNil()
}

// removeVolume is RemoveVolumes for one; that it is in use is no error.
func (e *Engine) removeVolume(ctx context.Context, addr, name string) (inUse bool, err error) {
	err = e.RemoveVolumes(ctx, addr, name)
	if err != nil && strings.Contains(err.Error(), "volume is in use") {
		return true, nil
	}
	return false, err
}

// Clear removes every container and every volume that carries all of the labels, and returns the
// containers that it has removed when a last look shows none of either. It looks again after each
// removal: a container that the engine was still making, for a command that was killed, shows late. A
// volume that somebody else's container uses is left, and is an error (clierr.Leftover). known are such
// containers as the caller has seen just now: with any, there is no first look.
func (e *Engine) Clear(ctx context.Context, addr string, known []Container, labels ...string) (removed []Container, err error) {
	err = poll(ctx, func(ctx context.Context) (busy string, err error) {
		containers, volumes := known, []string(nil)
		if known = nil; len(containers) == 0 {
			if containers, volumes, err = e.Labelled(ctx, labels...); err != nil {
				return "", err
			}
		}
		if len(containers) > 0 {
			busy = "container " + containers[0].Name + " is still there"
			removed = append(removed, containers...)
			return busy, e.Remove(ctx, addr, containers...) // its volumes go with it
		}
		for _, name := range volumes {
			busy = "volume " + name + " is still there"
			inUse, err := e.removeVolume(ctx, addr, name)
			if err == nil && inUse {
				err = e.checkUsers(ctx, name, labels)
			}
			if err != nil {
				return "", err
			}
		}
		return busy, nil
	})
	if errors.Is(err, errBusy) {
		err = clierr.New(clierr.Leftover, "%w", err).WithNext("Run the same command again; if it stays, `docker inspect` of what is named says why.")
	}
	return removed, err
}

// Labelled lists the containers and the volumes that carry every one of the labels.
func (e *Engine) Labelled(ctx context.Context, labels ...string) (containers []Container, volumes []string, err error) {
	var verr error
	var wg sync.WaitGroup
	asking, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	wg.Go(func() { volumes, verr = e.Volumes(asking, labels...) })
	if containers, err = e.Containers(ctx, labels...); err != nil {
		stop(err) // an engine that does not answer one question is not waited for with another
	}
	wg.Wait()
	if err != nil {
		return nil, nil, err
	}
	return containers, volumes, verr
}

// checkUsers returns an error when a container without the labels uses the volume. One that is in no
// list is being made or removed, and one with the labels came late: both are worth another look.
func (e *Engine) checkUsers(ctx context.Context, volume string, labels []string) error {
	users, err := e.users(ctx, volume)
	if err != nil {
		return err
	}
	ours, err := e.Containers(ctx, labels...)
	if err != nil {
		return err
	}
	for _, u := range users {
		if !slices.ContainsFunc(ours, func(c Container) bool { return c.ID == u.ID }) {
			return clierr.New(clierr.Leftover, "volume %s is used by container %s, which is not labctl's", volume, u.Name).
				WithNext("Remove that container or leave its volume: `docker inspect %s` shows what it is.", u.Name)
		}
	}
	return nil
}

// users lists the containers that have a volume.
func (e *Engine) users(ctx context.Context, volume string) ([]Container, error) {
	return e.list(ctx, []string{"--filter", "volume=" + volume})
}

func (e *Engine) each(containers []Container, act func(Container) error) error {
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		failed *multierror.Error
	)
	for _, c := range containers {
		wg.Go(func() {
			if err := act(c); err != nil {
				mu.Lock()
				failed = multierror.Append(failed, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return failed.ErrorOrNil()
}
