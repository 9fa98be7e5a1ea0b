package cli

import (
	"cmp"
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/view"
	"github.com/labctl/labctl/scenarios"
)

type scenarioOptions struct {
	*app
	name string // empty: list them
}

func newScenarioCommand(a *app, run func(context.Context, *scenarioOptions) error) *cobra.Command {
	o := &scenarioOptions{app: a}
	cmd := &cobra.Command{
		Use:   "scenario [NAME]",
		Short: "List the scenarios, or seed one and prove its symptom",
		Long: `Scenario without a name lists the catalogue with each one's state in the lab. With a name it seeds
that scenario if it is pristine, returns when it has seen the symptom, and says what there is to do, as
"labctl task NAME" does. What you have repaired or are working on is left alone: "labctl reset" breaks
it again.`,
		Example:           "  labctl scenario\n  labctl scenario crashloop",
		Args:              between(0, 1, "at most one scenario"),
		ValidArgsFunction: a.completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.name = args[0]
			}
			return run(cmd.Context(), o)
		},
	}
	cmd.AddCommand(newProveCommand(a, runProve), newNewCommand(a, runNew))
	return cmd
}

func runScenario(ctx context.Context, o *scenarioOptions) error {
	if o.name == "" {
		return o.list(ctx)
	}
	l, err := o.reopen(ctx, lab.Whole)
	if err != nil {
		return err
	}
	result, exists, err := l.Seed(ctx, o.name)
	if err != nil {
		o.printExisting(exists)
		return err
	}
	if sc, err := l.Scenario(o.name); err == nil && o.output == "text" { // what there is to do, and that it is as declared
		o.progress.Close()
		p := o.printer()
		printTask(p, lab.TaskOf(sc))
		p.Blank()
	}
	return o.printResult(result, false)
}

// catalogueRow is a scenario as the list shows it.
type catalogueRow struct {
	Name  string       `json:"name"`
	Type  labfile.Type `json:"type"`
	Title string       `json:"title"`
	aboutScenario
	Level  labfile.Level `json:"level,omitempty"`
	InLab  bool          `json:"in_lab"`
	State  string        `json:"state,omitempty"`
	Reason string        `json:"reason,omitempty"`
}

func (o *scenarioOptions) list(ctx context.Context) error {
	rows := map[string]catalogueRow{}
	for name, load := range scenarios.Definitions() {
		if d, err := load(); err != nil {
			rows[name] = catalogueRow{Name: name, State: "invalid", Title: err.Error()}
		} else {
			rows[name] = catalogueRow{Name: name, Type: d.Type, Title: d.Title, aboutScenario: about(d), Level: labfile.Proven}
		}
	}
	// Without a lab the catalogue is still worth reading.
	if l, err := o.reopen(ctx, lab.Whole); err == nil {
		for i, r := range l.Results(ctx) {
			rows[r.Scenario] = catalogueRow{r.Scenario, r.Type, r.Title, about(l.Declared.Scenarios[i].Definition), l.LevelOf(l.Declared.Scenarios[i].Definition), true, string(r.State), r.Reason}
		}
	} else if o.app.lab != "" {
		return err
	}
	list := make([]catalogueRow, 0, len(rows))
	for _, r := range rows {
		list = append(list, r)
	}
	slices.SortFunc(list, func(x, y catalogueRow) int { return cmp.Compare(x.Name, y.Name) })
	return o.print(map[string]any{"scenarios": list}, func(p *view.Printer) {
		var table [][]string
		for _, r := range list {
			table = append(table, []string{r.Name, string(r.Type), cmp.Or(r.State, "-"), cmp.Or(string(r.Level), "-"), r.Title})
		}
		p.Table([]string{"SCENARIO", "KIND", "STATE", "LEVEL", "TITLE"}, table)
	})
}

// aboutScenario is what whoever chooses scenarios reads in the list, as JSON alone: learners see the list too, and it may name
// the fault.
type aboutScenario struct {
	Summary    string   `json:"summary,omitempty"`
	Topic      string   `json:"topic,omitempty"`
	Difficulty string   `json:"difficulty,omitempty"`
	Minutes    int      `json:"minutes,omitempty"`
	After      []string `json:"after,omitempty"`
	Disrupts   []string `json:"disrupts,omitempty"`
	Needs      []string `json:"needs,omitempty"`
}

func about(d *labfile.Definition) aboutScenario {
	return aboutScenario{d.Summary, d.Topic, d.Difficulty, d.Minutes, d.After, d.Disrupts, d.Needs}
}
