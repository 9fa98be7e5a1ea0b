package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type resetOptions struct {
	*app
	name string
}

func newResetCommand(a *app, run func(context.Context, *resetOptions) error) *cobra.Command {
	return &cobra.Command{
		Use:               "reset NAME",
		Short:             "Break a scenario again, as if it had just been seeded",
		Example:           "  labctl reset imagepull",
		Args:              exactly(1, "one scenario"),
		ValidArgsFunction: a.completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), &resetOptions{a, args[0]})
		},
	}
}

func runReset(ctx context.Context, o *resetOptions) error {
	l, sc, err := o.exercise(ctx, o.name)
	if err != nil {
		return err
	}
	result, exists, err := l.Reset(ctx, sc)
	if err != nil {
		o.printExisting(exists)
		return err
	}
	return o.printResult(result, false)
}
