package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/view"
	"github.com/labctl/labctl/provision"
)

type planRow struct {
	Addr   string          `json:"addr"`
	State  provision.State `json:"state"`
	Reason string          `json:"reason"`
	Action string          `json:"action,omitempty"`
}

func (a *app) planCommand() *cobra.Command {
	var flags fileFlags
	cmd := &cobra.Command{
		Use:               "plan FILE [--local] [--name NAME]",
		Short:             "Show what up would do, and change nothing",
		Example:           "  labctl plan day10.hcl --local",
		Args:              exactly(1, "one lab file"),
		ValidArgsFunction: a.completeFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			a.tries = fewTries
			s, err := a.prepare(cmd.Context(), args[0], flags)
			if err != nil {
				return looked(err)
			}
			graph, err := s.graph()
			if err != nil {
				return err
			}
			rows := []planRow{}
			changes := 0
			for _, o := range graph.Observe(cmd.Context()) {
				if o.Err != nil {
					return looked(fmt.Errorf("%s: %w", o.Resource.Addr(), o.Err))
				}
				if !o.Settled() {
					changes++
				}
				rows = append(rows, planRow{o.Resource.Addr(), o.State, o.Reason, o.Action})
			}
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			notes, err := foreign(s.lab)
			if err != nil {
				return err
			}
			return a.print(map[string]any{"lab": s.lab.Name, "changes": changes, "resources": rows, "foreign": notes}, func() {
				a.printer().List(planItems(rows)...)
				if len(notes) > 0 {
					fmt.Fprintln(a.out(), "\nNot labctl's own (docs/trust.md):")
				}
				for _, note := range notes {
					a.printer().Text("  %s", note)
				}
				if changes == 0 {
					fmt.Fprintln(a.out(), "\nNothing to do: the lab is as declared.")
				}
			})
		},
	}
	flags.on(cmd)
	return cmd
}

func (a *app) validateCommand() *cobra.Command {
	var flags fileFlags
	cmd := &cobra.Command{
		Use:               "validate FILE",
		Short:             "Check a lab file, and touch nothing",
		Args:              exactly(1, "one lab file"),
		ValidArgsFunction: a.completeFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			src, err := a.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			lab, err := a.parse(src, parseOptions{vars: flags.vars, name: flags.name, local: flags.local})
			if err != nil {
				return err
			}
			if lab.Cluster == nil {
				return clierr.New(clierr.Usage, "%s declares no cluster", lab.Path)
			}
			names := []string{}
			for _, sc := range lab.Scenarios {
				names = append(names, sc.Name)
			}
			result := map[string]any{"lab": lab.Name, "file": lab.Path, "cluster": lab.Cluster.Name, "nodes": len(lab.Cluster.Nodes), "scenarios": names, "warnings": a.warnings}
			return a.print(result, func() {
				fmt.Fprintf(a.out(), "%s is valid: lab %s, cluster %s of %s, %s.\n", lab.Path, lab.Name, lab.Cluster.Name, count.Of(len(lab.Cluster.Nodes), "node"), count.Of(len(names), "scenario"))
			})
		},
	}
	flags.on(cmd)
	return cmd
}

// planItems shows each resource with what up would do to it.
func planItems(rows []planRow) []view.Item {
	var items []view.Item
	for _, r := range rows {
		item := view.Item{Mark: view.Change, Name: r.Addr, Text: r.Action + " (" + r.Reason + ")"}
		switch {
		case r.State == provision.Current && r.Action == "":
			item.Mark, item.Text = view.Keep, r.Reason
		case r.State == provision.Absent:
			item.Mark, item.Text = view.Create, r.Action
		}
		items = append(items, item)
	}
	return items
}
