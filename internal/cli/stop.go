package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) stopCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "stop",
		Short: "Stop a lab's containers; what is in them stays",
		Args:  exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			s, err := a.current(ctx)
			if err != nil {
				return err
			}
			release, err := s.hold(ctx)
			if err != nil {
				return err
			}
			defer release()
			v := a.view()
			err = s.cluster.Stop(ctx, v)
			if err == nil && s.mirror != nil {
				err = s.mirror.Stop(ctx)
			}
			v.Close()
			if err != nil {
				return err
			}
			return a.print(map[string]string{"lab": s.lab.Name, "state": "stopped"}, func() {
				fmt.Fprintf(a.out(), "Lab %s is stopped. `labctl start` brings it back as it was; `labctl down %s` removes it.\n", s.lab.Name, s.lab.Name)
			})
		},
	}
}

func (a *app) startCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "start",
		Short: "Start a stopped lab again",
		Args:  exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			began := a.now()
			s, err := a.current(ctx)
			if err != nil {
				return err
			}
			release, err := s.hold(ctx)
			if err != nil {
				return err
			}
			defer release()
			if err := s.apply(ctx, nil); err != nil {
				return err
			}
			return s.summary(ctx, a.now().Sub(began))
		},
	}
}
