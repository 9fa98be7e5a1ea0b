package docker

import (
	"context"
	"strings"
	"sync"

	"github.com/hashicorp/go-multierror"

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
