package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/lab"
)

type startOptions struct{ *app }

func newStartCommand(a *app, run func(context.Context, *startOptions) error) *cobra.Command {
	return &cobra.Command{
		Use:   "start",
		Short: "Start a stopped lab again",
		Long: `Start starts the lab's host, if it has one on AWS, and its containers, and returns when everything is
as it was. A host whose time was up meanwhile gets its whole time again.`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), &startOptions{a}) },
	}
}

func runStart(ctx context.Context, o *startOptions) error {
	l, err := o.reopen(ctx, lab.Understood)
	if err != nil {
		return err
	}
	out, err := l.Start(ctx)
	return errors.Join(err, o.printOutcome(out, l.Declared.Scenarios))
}
