package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/view"
	"github.com/labctl/labctl/scenarios"
)

type proveOptions struct {
	*app
	what  []string
	all   bool
	junit string
}

func newProveCommand(a *app, run func(context.Context, *proveOptions) error) *cobra.Command {
	o := &proveOptions{app: a}
	cmd := &cobra.Command{
		Use:   "test NAME|FOLDER|FILE...|--all",
		Short: "Prove scenarios on a lab that is up",
		Long: `Test takes scenarios through everything that can happen to them, on the cluster of a lab that is up:
untouched, seeded, each wrong fix or disturbance, the solution, reset, and gone again. It says of each
step whether that is as it should be, and exits with 4 when something is not.

A scenario is named (the lab's own, else the catalogue's), or given by the folder that has its
scenario.hcl, or by a lab file, whose own scenarios are taken; --all takes the lab's and the catalogue's. What the lab has of it is lost; a scenario
that the lab declares is seeded again at the end. Wrong fixes and solutions are commands that run on
this machine, as you: those that are not the catalogue's are asked about first, and --yes answers that.`,
		Example:           "  labctl scenario test imagepull\n  labctl scenario test ./my-scenario\n  labctl scenario test my-lab.hcl --yes\n  labctl scenario test --all --junit proofs.xml",
		ValidArgsFunction: a.completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.all != (len(args) == 0) {
				return clierr.New(clierr.Usage, "name at least one scenario, or give --all and no name")
			}
			o.what = args
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.all, "all", false, "prove every scenario of the lab and of the catalogue")
	cmd.Flags().StringVar(&o.junit, "junit", "", "also write the result to this file in JUnit's XML")
	return cmd
}

func runProve(ctx context.Context, o *proveOptions) error {
	l, err := o.reopen(ctx, lab.Whole)
	if err != nil {
		return err
	}
	var all []*labfile.Scenario
	for _, what := range o.scenarios(l) {
		found, err := l.Find(what)
		if err != nil {
			return err
		}
		all = append(all, found...)
	}
	if err := o.consent(ctx, l, all); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Dir(o.junit)); err != nil { // and not after minutes
		return clierr.New(clierr.Usage, "--junit %s: %w", o.junit, err)
	}
	proofs, err := l.Prove(ctx, all)
	if proofs == nil {
		return err
	}
	if o.junit != "" {
		err = errors.Join(err, writeJUnit(o.junit, func() ([]byte, error) { return lab.JUnitOf(proofs) }))
	}
	perr := o.print(map[string]any{"proofs": proofs}, func(p *view.Printer) {
		for _, proof := range proofs {
			p.Title("%s (%s), %s", proof.Scenario, proof.Type, seconds(proof.Seconds))
			p.List(proofItems(proof)...)
			for _, warning := range proof.Warnings {
				p.Text("Warning: %s.", warning)
			}
			p.Text("%s", verdictOf(proof))
			p.Blank()
		}
	})
	if ctx.Err() != nil {
		o.say("Interrupted: what was seeded stays until the next `labctl scenario test` of it, `labctl reset` or `labctl down %s`.", l.Name())
		return context.Cause(ctx)
	}
	if err := errors.Join(err, perr); err != nil || !slices.ContainsFunc(proofs, func(p *lab.Proof) bool { return !p.Proven }) {
		return err
	}
	return clierr.Silent(clierr.NotHolding)
}

// scenarios are what is to be proven.
func (o *proveOptions) scenarios(l *lab.Lab) []string {
	if !o.all {
		return o.what
	}
	names := slices.Sorted(maps.Keys(scenarios.Definitions()))
	for _, sc := range l.Declared.Scenarios {
		names = append(names, sc.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// verdictOf sums a proof up.
func verdictOf(proof *lab.Proof) string {
	if len(proof.Steps) == 0 {
		return proof.Scenario + " was not begun."
	}
	wrong := 0
	for _, s := range proof.Steps {
		if !s.Passed {
			wrong++
		}
	}
	if proof.Proven {
		if proof.Level == labfile.Tested {
			return proof.Scenario + " is tested: two wrong fixes that it tells from a right one would prove it."
		}
		return proof.Scenario + " is proven."
	}
	return fmt.Sprintf("%s is not proven: %d of %s not as it should be.", proof.Scenario, wrong, count.Of(len(proof.Steps), "step"))
}

// consent asks whether a learner's work may go, and whether commands that are not the catalogue's may run here.
func (o *proveOptions) consent(ctx context.Context, l *lab.Lab, all []*labfile.Scenario) error {
	var lost, foreign []string
	for _, sc := range all {
		if _, err := l.Scenario(sc.Name); err == nil {
			lost = append(lost, sc.Name)
		}
		if !lab.IsCatalogues(sc) {
			foreign = append(foreign, sc.Name)
		}
	}
	question := ""
	if len(lost) > 0 {
		question = fmt.Sprintf("What was done in %s of lab %s is lost. ", strings.Join(lost, ", "), l.Name())
	}
	if len(foreign) > 0 {
		question += fmt.Sprintf("The commands of %s are not labctl's own and run on this machine, as you. ", strings.Join(foreign, ", "))
	}
	switch {
	case question == "", o.yes, o.ask(ctx, question+"Go on?"):
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return clierr.New(clierr.Refused, "nothing was run. %s", strings.TrimSpace(question)).WithNext("--yes runs it all the same.")
}

// proofItems shows each step, and of those that went wrong how.
func proofItems(proof *lab.Proof) []view.Item {
	var items []view.Item
	for _, s := range proof.Steps {
		item := view.Item{Mark: view.Good, Name: s.Name, Text: strings.TrimSpace(s.Saw + " (" + seconds(s.Seconds) + ")")}
		if !s.Passed {
			item.Mark = view.Bad
			item.Evidence = brief(append(slices.Clone(s.Wrong), strings.FieldsFunc(s.Output, func(r rune) bool { return r == '\n' })...))
		}
		items = append(items, item)
	}
	return items
}

// seconds writes a number of seconds as a duration.
func seconds(s float64) string {
	return count.Elapsed(time.Duration(s * float64(time.Second)))
}
