package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// hinted is the result of hint.
type hinted struct {
	Scenario string   `json:"scenario"`
	Hints    []string `json:"hints"` // the next one, or with --all all that fit; none when there is none
	Left     int      `json:"left"`  // how many others fit now and were not shown
}

func (a *app) hintCommand() *cobra.Command {
	var all bool
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
			s, sc, err := a.exercise(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			fit, err := s.scenario(sc).Hints(cmd.Context())
			if err != nil {
				return err
			}
			shown, err := s.files.ShownHints(sc.Name, fit.Seeded)
			if err != nil {
				return err
			}
			result := hinted{Scenario: sc.Name, Hints: []string{}}
			for _, text := range fit.Texts {
				switch {
				case all, !shown[text] && len(result.Hints) == 0:
					result.Hints = append(result.Hints, text)
				case !shown[text]:
					result.Left++
				}
			}
			if err := a.print(result, func() { a.printHints(result, all, len(fit.Texts)) }); err != nil {
				return err
			}
			return s.files.RememberHints(sc.Name, fit.Seeded, result.Hints...)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "show all hints that fit now")
	return cmd
}

func (a *app) printHints(h hinted, all bool, fit int) {
	p := a.printer()
	switch {
	case fit == 0:
		fmt.Fprintln(a.out(), "There is no hint for this moment.")
	case len(h.Hints) == 0:
		fmt.Fprintln(a.out(), "You have seen every hint for this moment.")
		p.Next(fmt.Sprintf("`labctl hint %s --all` shows them again.", h.Scenario))
	case all:
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
