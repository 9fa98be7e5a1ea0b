package cli

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/labs"
	"github.com/labctl/labctl/scenarios"
)

func (a *app) completeLabs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	home, err := a.machine(0).Home()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	names, err := home.Labs()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeFiles offers labctl's own labs beside the files of the folder.
func completeFiles(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names, _ := filepath.Glob("*.hcl")
	return append(names, labfile.Embedded(labs.FS())...), cobra.ShellCompDirectiveDefault
}

// completeScenarios offers the lab's scenarios, or the catalogue's when no lab is up.
func (a *app) completeScenarios(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	if l, err := a.reopen(cmd.Context(), lab.Whole); err == nil {
		for _, sc := range l.Declared.Scenarios {
			names = append(names, sc.Name+"\t"+sc.Title)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	for name, load := range scenarios.Definitions() {
		if def, err := load(); err == nil {
			names = append(names, name+"\t"+def.Title)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
