package cli

import (
	"bytes"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
)

// addHelp gives root the commands that cobra brings along, which on their own take a command that
// does not exist for a wish to see everything, and succeed.
func (a *app) addHelp(root *cobra.Command) {
	write := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		var text bytes.Buffer
		out := cmd.OutOrStdout()
		cmd.SetOut(&text)
		write(cmd, args)
		cmd.SetOut(out)
		a.printer().Help(text.String())
	})
	root.SetHelpCommand(&cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about any command",
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			if at, _, err := root.Find(args); err == nil {
				for _, c := range at.Commands() {
					if c.IsAvailableCommand() {
						names = append(names, c.Name()+"\t"+c.Short)
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			at, rest, err := root.Find(args)
			if err != nil {
				return clierr.New(clierr.Usage, "%w", err)
			}
			if err := known(at, rest); err != nil {
				return err
			}
			at.InitDefaultHelpFlag()
			return at.Help()
		},
	})
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Args = known
			c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
}

// known refuses words that follow a command with commands below it: had they been one of those, that
// one would have got them.
func known(cmd *cobra.Command, args []string) error {
	if len(args) == 0 || !cmd.HasSubCommands() {
		return nil
	}
	err := clierr.New(clierr.Usage, "unknown command %q for `%s`", args[0], cmd.CommandPath())
	cmd.SuggestionsMinimumDistance = 2 // cobra's own default, which it sets elsewhere
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return err.WithNext("Did you mean `%s %s`?", cmd.CommandPath(), near[0])
	}
	return err.WithNext("`%s --help` lists the commands.", cmd.CommandPath())
}
