package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/fault"
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

func (a *app) solveCommand() *cobra.Command {
	var show bool
	cmd := &cobra.Command{
		Use:   "solve NAME [--show]",
		Short: "Repair a scenario with the solution of the catalogue",
		Long: `Solve types the solution's commands as you would in "labctl shell", prints each, and checks the
result. With --show it only prints them.`,
		Args:              exactly(1, "one scenario"),
		ValidArgsFunction: a.completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, err := a.current(ctx)
			if err != nil {
				return err
			}
			sc, err := s.named(args[0])
			if err != nil {
				return err
			}
			if sc.Solution == nil {
				return fault.New(fault.Usage, "scenario %s is a demo: there is nothing to solve", sc.Name).
					WithNext("`labctl check %s` says whether it shows.", sc.Name)
			}
			if show {
				return a.print(map[string]any{"scenario": sc.Name, "says": sc.Solution.Says, "run": sc.Solution.Run}, func() {
					a.printer().Text("%s", sc.Solution.Says)
					for _, line := range sc.Solution.Run {
						fmt.Fprintf(a.out(), "  $ %s\n", line)
					}
				})
			}
			release, err := s.hold(ctx)
			if err != nil {
				return err
			}
			defer release()
			in, err := s.inside(ctx)
			if err != nil {
				return err
			}
			defer in.done()
			for _, line := range sc.Solution.Run {
				fmt.Fprintf(a.Err, "$ %s\n", line)
				if err := a.runInsideTo(ctx, in.env, a.Process.Err, "sh", "-c", line); err != nil {
					return fault.New(fault.Failed, "the solution's %q: %w", line, err)
				}
			}
			v := a.view()
			result := s.scenario(sc).Check(ctx, v, scenarios.CheckOptions{Wait: time.Minute})
			v.Close()
			return a.printResult(result)
		},
	}
	cmd.Flags().BoolVar(&show, "show", false, "only print the commands")
	return cmd
}
