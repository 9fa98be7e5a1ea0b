package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/scenarios"
)

type answerOptions struct {
	*app
	name  string
	to    string
	words []string
}

func newAnswerCommand(a *app, run func(context.Context, *answerOptions) error) *cobra.Command {
	o := &answerOptions{app: a}
	cmd := &cobra.Command{
		Use:   "answer NAME [--to ANSWER] WORD...",
		Short: "Answer what a scenario asks",
		Long: `Answer takes what you have found out, for a scenario that asks for it ("labctl task NAME" shows the
question), and checks the scenario as "labctl check" does. The order and the case of words do not matter,
nor whether spaces or commas separate them. Another answer takes the place of the one before.`,
		Example: "  labctl answer audit web-1 web-2\n  labctl answer audit --to namespace shop",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return clierr.New(clierr.Usage, "name the scenario, and then the words of the answer")
			}
			return nil
		},
		ValidArgsFunction: a.completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name, o.words = args[0], args[1:]
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.to, "to", "", "which `answer`, where the scenario asks for several")
	return cmd
}

func runAnswer(ctx context.Context, o *answerOptions) error {
	l, sc, err := o.exercise(ctx, o.name)
	if err != nil {
		return err
	}
	release, err := l.Lock(ctx)
	if err != nil {
		return err
	}
	err = l.Answer(ctx, sc, o.to, o.words)
	release()
	if err != nil {
		return err
	}
	return o.printResult(l.Check(ctx, sc, scenarios.CheckOptions{}), false)
}
