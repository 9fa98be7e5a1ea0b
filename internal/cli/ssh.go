package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/terminal"
)

type sshOptions struct {
	*app
	command []string // empty: a shell
}

func newSSHCommand(a *app, run func(context.Context, *sshOptions) error) *cobra.Command {
	return &cobra.Command{
		Use:   "ssh [-- COMMAND ARGS...]",
		Short: "Log in to a lab's EC2 host",
		Long: `Ssh runs your system's ssh to the lab's host, with the lab's own key and the host key that was pinned
when the host was made; your ssh configuration, agent and known hosts have no say. On the host
docker, kubectl and a kubeconfig are in place, so that the course's commands work there as printed.

A command runs there instead of a shell, and its exit code is labctl's. Several words are passed on
as they are; a single one is a line for the host's shell.`,
		Example: "  labctl ssh\n  labctl ssh -- docker ps\n  labctl ssh -- 'df -h | grep /var'",
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), &sshOptions{a, args})
		},
	}
}

func runSSH(ctx context.Context, o *sshOptions) error {
	l, err := o.reopen(ctx, lab.Outline)
	if err != nil {
		return err
	}
	if !l.Remote() {
		return onThisMachine(l, "there is no host to log in to", "`labctl shell` opens a shell in which kubectl and docker speak to it.")
	}
	argv, err := l.SSHCommand(o.command, terminal.Is(o.In) && terminal.Is(o.Process.Out))
	if err != nil {
		return err
	}
	return o.runIn(ctx, o.Environ, o.Process.Out, argv...)
}
