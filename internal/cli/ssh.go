package cli

import (
	"path/filepath"
	"slices"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/ssh"
)

func (a *app) sshCommand() *cobra.Command {
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
			s, err := a.entered(cmd.Context())
			if err != nil {
				return err
			}
			if s.remote == nil {
				return onThisMachine(s.lab.Name, "there is no host to log in to", "`labctl shell` opens a shell in which kubectl and docker speak to it.")
			}
			argv, err := s.sshArgv(args)
			if err != nil {
				return err
			}
			return a.runInside(cmd.Context(), a.Environ, argv)
		},
	}
}

// sshArgv is the command line of the system's ssh to the lab's host.
func (s *session) sshArgv(command []string) ([]string, error) {
	program := lookPath("ssh", s.app.getenv("PATH"))
	if !filepath.IsAbs(program) {
		return nil, clierr.New(clierr.Refused, "there is no ssh command on the PATH").
			WithNext("Install the OpenSSH client, or use `labctl shell`, which needs none.")
	}
	e, state := s.remote.Endpoint(), s.remote.State
	switch {
	case s.remote.keyless != nil:
		return nil, s.remote.keyless
	case !state.Stopped.IsZero():
		return nil, clierr.New(clierr.Refused, "the host of lab %s (%s) is stopped", s.lab.Name, e.Instance).WithNext("`labctl start` starts it again.")
	case e.Address == "" || e.HostKey == "":
		return nil, clierr.New(clierr.Refused, "lab %s has no host whose key is known", s.lab.Name).WithNext("`labctl up %s` makes it, or goes on with it.", filepath.Base(s.lab.Path))
	}
	args, err := ssh.SystemSSHArgs(s.files.Dir(), s.remote.config(e))
	if err != nil {
		return nil, err
	}
	argv := []string{program, "-o", "ConnectTimeout=20"}
	if len(command) > 0 && isTerminal(s.app.In) && isTerminal(s.app.Out) {
		argv = append(argv, "-t")
	}
	argv = slices.Concat(argv, args)
	switch len(command) {
	case 0:
	case 1:
		argv = append(argv, command[0])
	default:
		argv = append(argv, shellescape.QuoteCommand(command))
	}
	return argv, nil
}
