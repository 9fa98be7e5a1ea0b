package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/view"
)

// hinted is the result of hint.
type hinted struct {
	Scenario string   `json:"scenario"`
	Hints    []string `json:"hints"` // the next one, or with --all all that fit; none when there is none
	Left     int      `json:"left"`  // how many others fit now and were not shown
}

type hintOptions struct {
	*app
	name string
	all  bool
}

func newHintCommand(a *app, run func(context.Context, *hintOptions) error) *cobra.Command {
	o := &hintOptions{app: a}
	cmd := &cobra.Command{
		Use:   "hint NAME [--all]",
		Short: "Say what may help now: one hint at a time",
		Long: `Hint shows the next hint that fits how the scenario stands now; asked again, the one after it. The
first say where to look, the last what to do. With --all it shows all that fit, those shown before as
well. A reset begins with the first one again.`,
		Example:           "  labctl hint imagepull\n  labctl hint imagepull --all",
		Args:              exactly(1, "one scenario"),
		ValidArgsFunction: a.completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.all, "all", false, "show all hints that fit now")
	return cmd
}

func runHint(ctx context.Context, o *hintOptions) error {
	l, sc, err := o.exercise(ctx, o.name)
	if err != nil {
		return err
	}
	fit, err := l.Hints(ctx, sc)
	if err != nil {
		return err
	}
	result := hinted{Scenario: sc.Name, Hints: []string{}}
	for _, text := range fit.Texts {
		switch {
		case o.all, !fit.Shown[text] && len(result.Hints) == 0:
			result.Hints = append(result.Hints, text)
		case !fit.Shown[text]:
			result.Left++
		}
	}
	if err := o.print(result, func(p *view.Printer) { o.printHints(p, result, len(fit.Texts)) }); err != nil {
		return err
	}
	return l.RememberHints(sc, fit, result.Hints...)
}

func (o *hintOptions) printHints(p *view.Printer, h hinted, fit int) {
	switch {
	case fit == 0:
		fmt.Fprintln(o.Out, "There is no hint for this moment.")
	case len(h.Hints) == 0:
		fmt.Fprintln(o.Out, "You have seen every hint for this moment.")
		p.Next(fmt.Sprintf("`labctl hint %s --all` shows them again.", h.Scenario))
	case o.all:
		for i, text := range h.Hints {
			p.Text("%d. %s", i+1, text)
		}
	default:
		p.Text("%s", h.Hints[0])
		if h.Left > 0 {
			p.Next(fmt.Sprintf("`labctl hint %s` again goes further.", h.Scenario))
		}
	}
}
