package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/labfile"
)

func (a *app) resetCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "reset NAME",
		Short:             "Break a scenario again, as if it had just been seeded",
		Example:           "  labctl reset imagepull",
		Args:              exactly(1, "one scenario"),
		ValidArgsFunction: a.completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, sc, err := a.exercise(ctx, args[0])
			if err != nil {
				return err
			}
			release, err := s.hold(ctx)
			if err != nil {
				return err
			}
			defer release()
			// Nothing is begun that could not be ended.
			if err := s.cluster.Answers(ctx); err != nil {
				return err
			}
			if err := s.files.ForgetHints(sc.Name); err != nil {
				return err
			}
			if err := s.reset(ctx, sc); err != nil {
				return err
			}
			return a.printResult(s.scenario(sc).Verify(ctx), false)
		},
	}
}

// reset destroys a scenario and applies it again, with all that it needs.
func (s *session) reset(ctx context.Context, sc *labfile.Scenario) error {
	graph, err := s.graph(sc)
	if err != nil {
		return err
	}
	v := s.app.view()
	err = graph.Reset(ctx, s.scenario(sc).Addr(), v)
	v.Close()
	if err == nil {
		return s.files.Save(s.state)
	}
	if s.remote != nil || ctx.Err() != nil {
		s.sayWhatExists(ctx)
	}
	return offerLocal(err, s.lab)
}
