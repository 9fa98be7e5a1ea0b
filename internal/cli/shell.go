package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/fault"
	"github.com/labctl/labctl/internal/state"
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
			if isTerminal(a.Err) {
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

func (a *app) kubeconfigCommand() *cobra.Command {
	var path bool
	cmd := &cobra.Command{
		Use:   "kubeconfig [--path]",
		Short: "Print the lab's kubeconfig; yours is never touched",
		Long: `Kubeconfig prints the kubeconfig of the lab's cluster. It holds an administrator's key. Your own
~/.kube/config is not touched; to use the lab's in one shell:

  export KUBECONFIG=$(labctl kubeconfig --path)`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.current(cmd.Context())
			if err != nil {
				return err
			}
			if _, err := s.cluster.Client(cmd.Context()); err != nil {
				return fault.New(fault.Unknown, "%w", err)
			}
			file := s.files.Path(state.KubeconfigFile)
			if path {
				return a.print(map[string]string{"path": file}, func() { fmt.Fprintln(a.out(), file) })
			}
			raw, err := os.ReadFile(file)
			if err != nil {
				return fault.New(fault.Unknown, "reading the lab's kubeconfig: %w", err).WithNext("`labctl up` writes it again.")
			}
			return a.print(map[string]string{"path": file, "kubeconfig": string(raw)}, func() { _, _ = a.out().Write(raw) })
		},
	}
	cmd.Flags().BoolVar(&path, "path", false, "print only where it lies")
	return cmd
}
