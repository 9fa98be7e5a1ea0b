package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/untrusted"
	"github.com/labctl/labctl/internal/view"
	"github.com/labctl/labctl/scenarios"
)

type solveOptions struct {
	*app
	name string
	show bool
}

func newSolveCommand(a *app, run func(context.Context, *solveOptions) error) *cobra.Command {
	o := &solveOptions{app: a}
	cmd := &cobra.Command{
		Use:   "solve NAME [--show]",
		Short: "Repair a scenario with its solution",
		Long: `Solve types the solution's commands as you would in "labctl shell", prints each, and checks the
result. With --show it only prints them. The commands of a solution that is not labctl's own are shown
and asked about first; --yes answers that. All of them run without your credentials: the environment has
the lab's variables in it and little else.`,
		Example:           "  labctl solve imagepull --show\n  labctl solve imagepull",
		Args:              exactly(1, "one scenario"),
		ValidArgsFunction: a.completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.show, "show", false, "only print the commands")
	return cmd
}

func runSolve(ctx context.Context, o *solveOptions) error {
	l, sc, err := o.exercise(ctx, o.name)
	if err != nil {
		return err
	}
	if sc.Solution == nil {
		return clierr.New(clierr.Usage, "scenario %s is a demo: there is nothing to solve", sc.Name).
			WithNext("`labctl check %s` says whether it shows.", sc.Name)
	}
	if o.show {
		return o.print(map[string]any{"scenario": sc.Name, "says": sc.Solution.Says, "run": sc.Solution.Run}, func(*view.Printer) {
			fmt.Fprint(o.Out, solutionText(sc.Solution))
		})
	}
	if err := o.consent(ctx, sc); err != nil {
		return err
	}
	release, err := l.Lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	env, err := l.Env(ctx)
	if err != nil {
		return err
	}
	defer env.Close()
	for _, line := range sc.Solution.Run {
		o.progress.Close()
		fmt.Fprint(o.Err, lineText("$ ", line))
		if err := o.runIn(ctx, env.Bare(), o.Process.Err, "sh", "-c", line); err != nil {
			return clierr.New(clierr.Failed, "the solution's %q: %w", line, err)
		}
	}
	return o.printResult(l.Check(ctx, sc, scenarios.CheckOptions{Wait: time.Minute}), false)
}

// consent asks whether commands that are not the catalogue's may run on this machine.
func (o *solveOptions) consent(ctx context.Context, sc *labfile.Scenario) error {
	if lab.IsCatalogues(sc) || o.yes {
		return nil
	}
	if !o.canAsk() {
		return clierr.New(clierr.Refused, "the solution of scenario %s comes from the lab file, and its commands would run on this machine, as you", sc.Name).
			WithNext("`labctl solve %s --show` prints them; `labctl solve %s --yes` runs them.", sc.Name, sc.Name)
	}
	fmt.Fprint(o.Err, solutionText(sc.Solution))
	if !o.ask(ctx, "These commands are the lab file's, not labctl's. Run them on this machine, as you?") {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		return clierr.New(clierr.Refused, "nothing was run")
	}
	return nil
}

// solutionText shows a solution with nothing hidden.
func solutionText(r *labfile.Remedy) string {
	text := untrusted.Exact(strings.TrimSpace(r.Says)) + "\n"
	for _, line := range r.Run {
		text += lineText("  $ ", line)
	}
	return text
}

// lineText shows a command; one of several lines as a shell shows what is typed into it.
func lineText(prompt, line string) string {
	more := "\n" + strings.Replace(prompt, "$", ">", 1)
	return prompt + strings.ReplaceAll(untrusted.Exact(strings.TrimRight(line, "\n")), "\n", more) + "\n"
}
