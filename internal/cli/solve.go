package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/fault"
	"github.com/labctl/labctl/scenarios"
)

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
			return a.printResult(result, false)
		},
	}
	cmd.Flags().BoolVar(&show, "show", false, "only print the commands")
	return cmd
}
