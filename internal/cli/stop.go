package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/view"
)

func (a *app) stopCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "stop",
		Short: "Stop a lab's containers, and its host; what is in them stays",
		Long: `Stop stops the lab's containers, and after them the host on AWS that they are on, if there is one. Of a
stopped host only the disk is paid for. "labctl start" brings everything back as it was.`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			s, err := a.entered(ctx)
			if err != nil {
				return err
			}
			if s.remote != nil {
				return s.stopHost(ctx)
			}
			release, err := s.hold(ctx)
			if err != nil {
				return err
			}
			defer release()
			if err := s.stopContainers(ctx, a.view()); err != nil {
				return err
			}
			return a.print(map[string]string{"lab": s.lab.Name, "state": "stopped"}, func() {
				fmt.Fprintf(a.out(), "Lab %s is stopped. `labctl start` brings it back as it was; `labctl down %s` removes it.\n", s.lab.Name, s.lab.Name)
			})
		},
	}
}

// stopContainers stops the cluster and the mirror, and closes v.
func (s *session) stopContainers(ctx context.Context, v view.View) error {
	defer v.Close()
	if err := s.cluster.Stop(ctx, v); err != nil {
		return err
	}
	if s.mirror != nil {
		return s.mirror.Stop(ctx)
	}
	return nil
}

// stopInOrder bounds the stopping of what is on a host: one that does not answer must not go on costing.
const stopInOrder = 2 * time.Minute

// stopHost stops what is on the host, so that it ends in order, and then the host, whether the first
// succeeded or not: that is what costs.
func (s *session) stopHost(ctx context.Context) error {
	release, err := s.holdUnsettled(ctx)
	if err != nil {
		return err
	}
	defer release()
	seen, err := s.remote.Observe(ctx)
	if err != nil && s.remote.keyless == nil {
		return err
	}
	if !seen.Unobservable {
		err := s.settle(ctx, true)
		if err == nil {
			inOrder, cancel := context.WithTimeoutCause(ctx, stopInOrder, fmt.Errorf("they have not stopped within %s", count.Duration(stopInOrder)))
			err = s.stopContainers(inOrder, s.app.view())
			cancel()
		}
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			fmt.Fprintf(s.app.Err, "The containers could not be stopped in order; the host is stopped all the same: %s\n", err)
		}
	}
	s.remote.Close()
	v := s.app.view()
	err = s.remote.Stop(ctx, v)
	v.Close()
	if err != nil {
		return err
	}
	status := s.app.remembered(s.remote.State)
	status.State = "stopped"
	result := struct {
		Lab   string      `json:"lab"`
		State string      `json:"state"`
		Host  *hostStatus `json:"host"`
	}{s.lab.Name, "stopped", status}
	return s.app.print(result, func() {
		fmt.Fprintf(s.app.out(), "Lab %s is stopped: %s.\n", s.lab.Name, status)
		fmt.Fprintf(s.app.out(), "Only its disk is paid for. `labctl start` brings it back as it was; `labctl down %s` removes it.\n", s.lab.Name)
	})
}

func (a *app) startCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "start",
		Short: "Start a stopped lab again",
		Long: `Start starts the lab's host, if it has one on AWS, and its containers, and returns when everything is
as it was. A host whose time was up meanwhile gets its whole time again.`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			began := a.now()
			s, err := a.understood(ctx)
			if err != nil {
				return err
			}
			if s.remote == nil {
				release, err := s.hold(ctx)
				if err != nil {
					return err
				}
				defer release()
			} else {
				release, err := s.holdUnsettled(ctx)
				if err != nil {
					return err
				}
				defer release()
				if err := s.startHost(ctx); err != nil {
					return err
				}
			}
			result, err := s.converge(ctx)
			if result == nil {
				return err
			}
			return errors.Join(err, s.summary(result, a.now().Sub(began)))
		},
	}
}

// startHost starts the host that is there; it makes none.
func (s *session) startHost(ctx context.Context) error {
	v := s.app.view()
	err := s.remote.Start(ctx, v)
	v.Close()
	if err != nil {
		return err
	}
	s.cluster.Restarted = true // the engine has started the nodes again by itself, or will be asked to
	return s.settle(ctx, true)
}
