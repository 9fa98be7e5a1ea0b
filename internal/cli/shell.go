package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
)

func (a *app) shellCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "shell [-- COMMAND ARGS...]",
		Short: "Open a shell in which kubectl and docker speak to the lab",
		Long: `Shell starts your shell ($SHELL) with the lab's kubeconfig and a kubectl that fits its cluster, so
that the course's commands work as they are printed. With a command it runs that and ends.`,
		Example: "  labctl shell\n  labctl shell -- sh -c 'kubectl get pods'",
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.current(cmd.Context())
			if err != nil {
				return err
			}
			in, err := s.inside(cmd.Context())
			if err != nil {
				return err
			}
			defer in.done()
			if len(args) > 0 {
				return a.runInside(cmd.Context(), in.env, args)
			}
			shell := a.getenv("SHELL")
			if shell == "" {
				shell = "/bin/sh"
			}
			if isTerminal(a.Process.Err) {
				fmt.Fprintf(a.Err, "Lab %s, cluster %s. kubectl and docker speak to it; `exit` leaves.\n", s.lab.Name, s.lab.Cluster.Name)
			}
			return a.runInside(cmd.Context(), in.env, append([]string{shell}, s.prompt(shell)...))
		},
	}
}

// prompt returns the arguments that make an interactive shell show which lab it is in. What the
// user's own start-up files set is kept.
func (s *session) prompt(shell string) []string {
	if filepath.Base(shell) != "bash" || !isTerminal(s.app.In) {
		return nil
	}
	// An rc file after the user's own puts our PATH back in front of whatever that one changed.
	rc := s.files.Path("bashrc")
	text := fmt.Sprintf("[ -r ~/.bashrc ] && . ~/.bashrc\nPATH=%q:$PATH\nPS1=\"(%s) $PS1\"\n", s.files.Path("path"), s.lab.Name)
	if err := s.files.WriteFile("bashrc", []byte(text)); err != nil {
		return nil
	}
	return []string{"--rcfile", rc, "-i"}
}
