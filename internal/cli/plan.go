package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/view"
	"github.com/labctl/labctl/provision"
)

type planOptions struct {
	*app
	file fileOptions
}

func newPlanCommand(a *app, run func(context.Context, *planOptions) error) *cobra.Command {
	o := &planOptions{app: a}
	cmd := &cobra.Command{
		Use:               "plan FILE [--local] [--name NAME]",
		Short:             "Show what up would do, and change nothing",
		Example:           "  labctl plan day10.hcl --local",
		Args:              exactly(1, "one lab file"),
		ValidArgsFunction: completeFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file.path = args[0]
			return run(cmd.Context(), o)
		},
	}
	o.file.addFlags(cmd)
	return cmd
}

func runPlan(ctx context.Context, o *planOptions) error {
	l, err := o.open(ctx, o.machine(lab.FewTries), o.file)
	if err != nil {
		return clierr.Observing(err)
	}
	plan, err := l.Plan(ctx)
	if err != nil {
		return err
	}
	foreign := lab.Foreign(l.Declared)
	changes := 0
	for _, c := range plan {
		if !c.Settled {
			changes++
		}
	}
	return o.print(map[string]any{"lab": l.Name(), "changes": changes, "resources": plan, "foreign": foreign}, func(p *view.Printer) {
		p.List(planItems(plan)...)
		if len(foreign) > 0 {
			fmt.Fprintln(o.Out, "\nNot labctl's own (docs/trust.md):")
		}
		for _, note := range foreign {
			p.Text("  %s", note)
		}
		if changes == 0 {
			fmt.Fprintln(o.Out, "\nNothing to do: the lab is as declared.")
		}
	})
}

// planItems shows each resource with what up would do to it.
func planItems(plan []lab.Change) []view.Item {
	var items []view.Item
	for _, c := range plan {
		item := view.Item{Mark: view.Change, Name: c.Addr, Text: c.Action + " (" + c.Reason + ")"}
		switch {
		case c.State == provision.Current && c.Action == "":
			item.Mark, item.Text = view.Keep, c.Reason
		case c.State == provision.Absent:
			item.Mark, item.Text = view.Create, c.Action
		}
		items = append(items, item)
	}
	return items
}
