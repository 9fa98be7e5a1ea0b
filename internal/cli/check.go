package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/view"
	"github.com/labctl/labctl/scenarios"
)

func (a *app) checkCommand() *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "check NAME",
		Short: "Is this scenario solved?",
		Long: `Check asks the cluster whether a scenario is solved (a demo: whether it shows). It exits with 0 for
yes, 4 for no and 5 when it cannot be told, and says what it saw. A repair has to hold for a moment:
check watches it for that long.`,
		Example:           "  labctl check imagepull",
		Args:              exactly(1, "one scenario"),
		ValidArgsFunction: a.completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.current(cmd.Context())
			if err != nil {
				return err
			}
			sc, err := s.named(args[0])
			if err != nil {
				return err
			}
			v := a.view()
			result := s.scenario(sc).Check(cmd.Context(), v, scenarios.CheckOptions{Wait: wait})
			v.Close()
			return a.printResult(result)
		},
	}
	cmd.Flags().DurationVar(&wait, "wait", 0, "how long to wait for a yes")
	return cmd
}

func resultItem(r scenarios.Result) view.Item {
	verdict := map[scenarios.Verdict]string{scenarios.Holds: "holds", scenarios.CannotTell: "cannot-tell"}[r.Verdict]
	item := view.Item{Mark: markOf(verdict), Name: r.Scenario, Text: r.Reason}
	if r.Verdict != scenarios.Holds {
		item.Evidence = brief(r.Evidence())
	}
	return item
}

func (a *app) hintCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "hint NAME",
		Short:             "Say what may help now, without giving the solution away",
		Args:              exactly(1, "one scenario"),
		ValidArgsFunction: a.completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.current(cmd.Context())
			if err != nil {
				return err
			}
			sc, err := s.named(args[0])
			if err != nil {
				return err
			}
			hints, err := s.scenario(sc).Hints(cmd.Context())
			if err != nil {
				return err
			}
			return a.print(map[string]any{"scenario": sc.Name, "hints": hints}, func() {
				if len(hints) == 0 {
					fmt.Fprintln(a.out(), "There is no hint for this moment.")
				}
				for i, h := range hints {
					a.printer().Text("%d. %s", i+1, h)
				}
			})
		},
	}
}
