package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
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
	run  bool
}

func newSolveCommand(a *app, run func(context.Context, *solveOptions) error) *cobra.Command {
	o := &solveOptions{app: a}
	cmd := &cobra.Command{
		Use:   "solve NAME [--run | --show]",
		Short: "Show the solution of a scenario, or repair it with that",
		Long: `Solve shows the solution: what it does, and the commands as you would type them in "labctl shell". On
a terminal it then asks whether to run them; --run runs them unasked, and --show does not ask. What is
run is printed, and the result checked. The commands of a solution that is not labctl's own are always
asked about; --yes answers that. All of them run without your credentials: the environment has the lab's
variables in it and little else.`,
		Example:           "  labctl solve imagepull\n  labctl solve imagepull --run",
		Args:              exactly(1, "one scenario"),
		ValidArgsFunction: a.completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.show && o.run {
				return clierr.New(clierr.Usage, "--show and --run exclude each other")
			}
			o.name = args[0]
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.show, "show", false, "only show it")
	cmd.Flags().BoolVar(&o.run, "run", false, "run the commands, and check the result")
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
	if o.run || o.yes && !o.show {
		if err := o.consent(ctx, sc); err != nil {
			return err
		}
		return o.solve(ctx, l, sc)
	}
	asks := o.canAsk() && !o.show && o.output == "text"
	err = o.print(map[string]any{"scenario": sc.Name, "says": sc.Solution.Says, "run": sc.Solution.Run, "answers": sc.Solution.Answers}, func(p *view.Printer) {
		fmt.Fprint(o.Out, solutionText(sc))
		if !asks {
			p.Next(fmt.Sprintf("`labctl solve %s --run` runs that.", sc.Name))
		}
	})
	if err != nil || !asks {
		return err
	}
	if !o.ask(ctx, runQuestion(sc)) {
		return context.Cause(ctx)
	}
	return o.solve(ctx, l, sc)
}

// solve runs the solution's commands, and checks what has come of them.
func (o *solveOptions) solve(ctx context.Context, l *lab.Lab, sc *labfile.Scenario) error {
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
	for to, words := range sc.Solution.Answers {
		if err := l.Answer(ctx, sc, to, words); err != nil {
			return err
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
	fmt.Fprint(o.Err, solutionText(sc))
	if !o.ask(ctx, runQuestion(sc)) {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		return clierr.New(clierr.Refused, "nothing was run")
	}
	return nil
}

// runQuestion asks whether the commands of a solution, which were shown, are to run.
func runQuestion(sc *labfile.Scenario) string {
	if lab.IsCatalogues(sc) {
		return "Run these commands?"
	}
	return "These commands are the lab file's, not labctl's. Run them on this machine, as you?"
}

// solutionText shows a solution with nothing hidden.
func solutionText(sc *labfile.Scenario) string {
	text := untrusted.Exact(strings.TrimSpace(sc.Solution.Says)) + "\n"
	for _, line := range sc.Solution.Run {
		text += lineText("  $ ", line)
	}
	for _, to := range slices.Sorted(maps.Keys(sc.Solution.Answers)) {
		text += lineText("  $ ", fmt.Sprintf("labctl answer %s --to %s %s", sc.Name, to, strings.Join(sc.Solution.Answers[to], " ")))
	}
	return text
}

// lineText shows a command; one of several lines as a shell shows what is typed into it.
func lineText(prompt, line string) string {
	more := "\n" + strings.Replace(prompt, "$", ">", 1)
	return prompt + strings.ReplaceAll(untrusted.Exact(strings.TrimRight(line, "\n")), "\n", more) + "\n"
}
