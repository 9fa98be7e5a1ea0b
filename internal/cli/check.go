package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/scenarios"
)

type checkOptions struct {
	*app
	name     string
	evidence bool
	wait     time.Duration
}

func newCheckCommand(a *app, run func(context.Context, *checkOptions) error) *cobra.Command {
	o := &checkOptions{app: a}
	cmd := &cobra.Command{
		Use:   "check NAME [--evidence] [--wait DURATION]",
		Short: "Is this scenario solved?",
		Long: `Check asks the cluster whether a scenario is solved (a demo: whether it shows). It exits with 0 for
yes, 4 for no and 5 when it cannot be told, and says what holds and what is missing. A repair has to
hold for a moment: check watches it for that long.

With --evidence it also shows which part of which object it looked at, and what it found there: more
than a learner may want to know. JSON has that always.`,
		Example:           "  labctl check imagepull\n  labctl check imagepull --evidence",
		Args:              exactly(1, "one scenario"),
		ValidArgsFunction: a.completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.evidence, "evidence", false, "show the values that an answer other than yes rests on")
	cmd.Flags().DurationVar(&o.wait, "wait", 0, "how long to wait for a yes")
	return cmd
}

func runCheck(ctx context.Context, o *checkOptions) error {
	l, sc, err := o.exercise(ctx, o.name)
	if err != nil {
		return err
	}
	return o.printResult(l.Check(ctx, sc, scenarios.CheckOptions{Wait: o.wait}), o.evidence)
}
