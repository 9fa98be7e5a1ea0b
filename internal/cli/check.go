package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/scenarios"
)

func (a *app) checkCommand() *cobra.Command {
	var wait time.Duration
	var evidence bool
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
			s, sc, err := a.exercise(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			v := a.view()
			result := s.scenario(sc).Check(cmd.Context(), v, scenarios.CheckOptions{Wait: wait})
			v.Close()
			return a.printResult(result, evidence)
		},
	}
	cmd.Flags().BoolVar(&evidence, "evidence", false, "show the values that an answer other than yes rests on")
	cmd.Flags().DurationVar(&wait, "wait", 0, "how long to wait for a yes")
	return cmd
}
