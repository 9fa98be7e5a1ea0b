package cli

import "github.com/spf13/cobra"
import "github.com/labctl/labctl/internal/labfile"
import "github.com/labctl/labctl/provision"

func (s *session) scenario(*labfile.Scenario) provision.Resource { return nil }
func (a *app) scenarioCommand() *cobra.Command {
	return &cobra.Command{Use: "scenario", RunE: func(*cobra.Command, []string) error { return nil }}
}
func (a *app) checkCommand() *cobra.Command {
	return &cobra.Command{Use: "check", RunE: func(*cobra.Command, []string) error { return nil }}
}
func (a *app) solveCommand() *cobra.Command {
	return &cobra.Command{Use: "solve", RunE: func(*cobra.Command, []string) error { return nil }}
}
func (a *app) resetCommand() *cobra.Command {
	return &cobra.Command{Use: "reset", RunE: func(*cobra.Command, []string) error { return nil }}
}
