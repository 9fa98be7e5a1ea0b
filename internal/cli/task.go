package cli

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/text"
	"github.com/labctl/labctl/internal/view"
	"github.com/labctl/labctl/scenarios"
)

type taskOptions struct {
	*app
	name string // empty: list them
}

func newTaskCommand(a *app, run func(context.Context, *taskOptions) error) *cobra.Command {
	o := &taskOptions{app: a}
	cmd := &cobra.Command{
		Use:   "task [NAME]",
		Short: "Read what there is to do: the lab's tasks, or one in full",
		Long: `Task shows what a learner reads of a scenario: the situation, the goal, the rules, and what to do
before it. Without a name it lists the tasks of the lab. It shows neither the fault nor the fix: for
those there are "labctl hint" and "labctl solve".

The texts are those that were applied, so they can be read while the cluster is down as well. Where each
task stands is shown where the cluster says so at once.`,
		Example:           "  labctl task\n  labctl task imagepull",
		Args:              between(0, 1, "at most one scenario"),
		ValidArgsFunction: a.completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.name = args[0]
			}
			return run(cmd.Context(), o)
		},
	}
	return cmd
}

// oneTask is the result of task NAME.
type oneTask struct {
	Lab string `json:"lab"`
	lab.Task
	Unseen string `json:"unseen,omitempty"`
}

func runTask(ctx context.Context, o *taskOptions) error {
	tasks, err := o.machine(lab.FewTries).Tasks(ctx, o.lab, o.name)
	if err != nil {
		return err
	}
	if o.name == "" {
		return o.print(tasks, func(p *view.Printer) { o.printList(p, tasks) })
	}
	t := tasks.Tasks[0]
	return o.print(oneTask{tasks.Lab, t, tasks.Unseen}, func(p *view.Printer) {
		printTask(p, t)
		p.Blank()
		mark, stands := whereItStands(t.State)
		if t.State == "" {
			stands = "where it stands cannot be told now: " + tasks.Unseen
		}
		p.List(view.Item{Mark: mark, Name: t.Scenario, Text: stands})
		p.Next(nextOf(t, tasks.Lab))
	})
}

func (o *taskOptions) printList(p *view.Printer, tasks *lab.Tasks) {
	if len(tasks.Tasks) == 0 {
		fmt.Fprintf(o.Out, "Lab %s has no tasks.\n", tasks.Lab)
		p.Next("`labctl scenario` lists the catalogue; `labctl scenario NAME` adds one of it.")
		return
	}
	var rows [][]string
	for _, t := range tasks.Tasks {
		minutes := "-"
		if t.Minutes > 0 {
			minutes = strconv.Itoa(t.Minutes)
		}
		rows = append(rows, []string{t.Scenario, cmp.Or(string(t.State), "-"), cmp.Or(t.Difficulty, "-"), minutes, t.Title})
	}
	p.Table([]string{"TASK", "STATE", "DIFFICULTY", "MINUTES", "TITLE"}, rows)
	if tasks.Unseen != "" {
		p.Blank()
		p.Text("Where they stand cannot be told now: %s.", strings.TrimSuffix(tasks.Unseen, "."))
	}
	p.Next("`labctl task NAME` shows one in full.")
}

// printTask writes what a learner reads of a scenario.
func printTask(p *view.Printer, t lab.Task) {
	p.Title("%s", t.Title)
	p.Text("%s", factsOf(t))
	if t.Situation != "" {
		p.Blank()
		p.Text("%s", t.Situation)
	}
	if t.Goal != "" {
		p.Blank()
		p.Title("Goal")
		p.Text("%s", t.Goal)
	}
	if len(t.Rules) > 0 {
		p.Blank()
		p.Title("Rules")
		for _, rule := range t.Rules {
			p.Text("- %s", rule)
		}
	}
	if len(t.Questions) > 0 {
		p.Blank()
		p.Title("Questions")
		for _, q := range t.Questions {
			p.Text("- %s", q.Ask)
			p.Text("  `labctl answer %s --to %s WORDS`", t.Scenario, q.Answer)
		}
	}
	if len(t.Needs) > 0 {
		p.Blank()
		p.Text("The cluster needs: %s.", strings.Join(t.Needs, ", "))
	}
	if t.Disruptive {
		p.Blank()
		p.Text("While this is broken, other scenarios of the cluster may not work as they should.")
	}
}

// factsOf is a task in one line: "imagepull, of pods, easy, about 10 minutes; after first-pod (solved)".
func factsOf(t lab.Task) string {
	facts := []string{t.Scenario}
	if t.Topic != "" {
		facts = append(facts, "of "+t.Topic)
	}
	if t.Difficulty != "" {
		facts = append(facts, t.Difficulty)
	}
	if t.Minutes > 0 {
		facts = append(facts, "about "+count.Of(t.Minutes, "minute"))
	}
	if t.Level != "" {
		facts = append(facts, string(t.Level))
	}
	line := strings.Join(facts, ", ")
	var before []string
	for _, b := range t.After {
		name := b.Scenario
		if b.State == scenarios.Solved {
			name += " (solved)"
		}
		before = append(before, name)
	}
	if len(before) > 0 {
		line += "; after " + strings.Join(before, ", ")
	}
	return line
}

// whereItStands is a state in words for a learner.
func whereItStands(s scenarios.State) (view.Mark, string) {
	switch s {
	case scenarios.Solved:
		return view.Good, "solved"
	case scenarios.Shown:
		return view.Good, "it is there to be seen"
	case scenarios.Broken, scenarios.Changed:
		return view.Neutral, "not solved yet"
	case scenarios.Open:
		return view.Neutral, "not done yet"
	case scenarios.OriginalGone:
		return view.Bad, "what was to be repaired is gone"
	case scenarios.Pristine:
		return view.Neutral, "not seeded"
	case scenarios.Seeding:
		return view.Neutral, "seeded, and not seen to show yet"
	}
	return view.Uncertain, "where it stands cannot be told now"
}

// nextOf says what to type after a task was read.
func nextOf(t lab.Task, name string) string {
	switch t.State {
	case "":
		return fmt.Sprintf("`labctl status %s` says how the lab is.", name)
	case scenarios.Solved:
		return fmt.Sprintf("`labctl reset %s` begins again.", t.Scenario)
	case scenarios.Pristine:
		return fmt.Sprintf("`labctl scenario %s` seeds it.", t.Scenario)
	case scenarios.OriginalGone:
		return fmt.Sprintf("`labctl reset %s` begins again.", t.Scenario)
	}
	return fmt.Sprintf("`labctl shell` to work on it, `labctl hint %s` for help, `labctl check %s` when you think that it is done.", t.Scenario, t.Scenario)
}

// upTasks are the tasks of a lab that is up which are not solved.
func upTasks(r *lab.Report, all []*labfile.Scenario) []lab.Task {
	states := map[string]scenarios.State{}
	for _, row := range r.Resources {
		states[row.Addr] = scenarios.State(row.Phase)
	}
	var tasks []lab.Task
	for _, sc := range all {
		t := lab.TaskOf(sc)
		if t.State = states["scenario."+sc.Name]; t.Open() || t.State == scenarios.Shown {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// goals lists tasks with what shall be so, shortened to about a line.
func goals(tasks []lab.Task) []view.Item {
	const most = 160
	var items []view.Item
	for _, t := range tasks {
		items = append(items, view.Item{Name: t.Scenario, Text: text.Shorten(strings.Join(strings.Fields(cmp.Or(t.Goal, t.Title)), " "), most)})
	}
	return items
}

// printOpen tells whoever enters a lab what there is to do in it. Nobody is kept from entering by what cannot be told.
func (a *app) printOpen(ctx context.Context, name string) {
	tasks, err := a.machine(lab.FewTries).Tasks(ctx, name, "")
	if err != nil {
		return
	}
	var open []lab.Task
	for _, t := range tasks.Tasks {
		if t.Open() {
			open = append(open, t)
		}
	}
	a.progress.Close()
	p := a.messages()
	switch {
	case len(open) > 0:
		p.List(goals(open)...)
		p.Text("`labctl task NAME` shows one in full.")
	case tasks.Unseen != "" && len(tasks.Tasks) > 0:
		p.Text("`labctl task` lists what there is to do.")
	}
}
