package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/view"
)

type validateOptions struct {
	*app
	file fileOptions
}

func newValidateCommand(a *app, run func(context.Context, *validateOptions) error) *cobra.Command {
	o := &validateOptions{app: a}
	cmd := &cobra.Command{
		Use:               "validate FILE",
		Short:             "Check a lab file, and touch nothing",
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

func runValidate(ctx context.Context, o *validateOptions) error {
	declared, _, warnings, err := o.read(ctx, o.machine(0), o.file)
	if err != nil {
		return err
	}
	if declared.Cluster == nil {
		return clierr.New(clierr.Usage, "%s declares no cluster", declared.Path)
	}
	names := []string{}
	for _, sc := range declared.Scenarios {
		names = append(names, sc.Name)
	}
	nodes := len(declared.Cluster.Nodes)
	result := map[string]any{"lab": declared.Name, "file": declared.Path, "cluster": declared.Cluster.Name, "nodes": nodes, "scenarios": names, "warnings": warnings}
	return o.print(result, func(*view.Printer) {
		fmt.Fprintf(o.Out, "%s is valid: lab %s, cluster %s of %s, %s.\n", declared.Path, declared.Name, declared.Cluster.Name, count.Of(nodes, "node"), count.Of(len(names), "scenario"))
	})
}
