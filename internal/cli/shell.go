package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/shell"
	"github.com/labctl/labctl/internal/terminal"
)

type shellOptions struct {
	*app
	command []string // empty: the user's shell
}

func newShellCommand(a *app, run func(context.Context, *shellOptions) error) *cobra.Command {
	return &cobra.Command{
		Use:   "shell [-- COMMAND ARGS...]",
		Short: "Open a shell in which kubectl and docker speak to the lab",
		Long: `Shell starts your shell ($SHELL) with the lab's kubeconfig and a kubectl that fits its cluster, so
that the course's commands work as they are printed. With a command it runs that and ends.

bash, zsh, fish and sh read your start files as always; then what kubectl, docker and KUBECONFIG are is
the lab's, and the shell is asked whether it is so before you get it. Where it is not, as with start
files that become another program, and for any other shell, labctl says so and opens a plain one.`,
		Example: "  labctl shell\n  labctl shell -- sh -c 'kubectl get pods'\n  labctl shell -- zsh",
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), &shellOptions{a, args})
		},
	}
}

func runShell(ctx context.Context, o *shellOptions) error {
	l, err := o.reopen(ctx, lab.Outline)
	if err != nil {
		return err
	}
	env, err := l.Env(ctx)
	if err != nil {
		return err
	}
	defer env.Close()
	program := o.Getenv("SHELL")
	switch {
	case len(o.command) > 0 && !shell.Known(o.command[0]):
		return o.runIn(ctx, env.Environ, o.Process.Out, o.command...)
	case len(o.command) > 0:
		program = command.LookPath(o.command[0], o.Getenv("PATH"))
	}
	return o.openShell(ctx, l, env, program, o.command[min(1, len(o.command)):])
}

// openShell runs a shell that is held to the lab. With arguments it is one that runs a script and ends.
func (o *shellOptions) openShell(ctx context.Context, l *lab.Lab, env *lab.Env, program string, args []string) error {
	dir, err := os.Getwd()
	if err != nil {
		return clierr.New(clierr.Refused, "finding the working directory: %w", err)
	}
	files, err := os.MkdirTemp(l.Files().Dir(), "shell-")
	if err != nil {
		return clierr.New(clierr.Failed, "preparing the shell: %w", err)
	}
	defer os.RemoveAll(files)
	hold := shell.Hold{Lab: l.Name(), Files: files, Dir: dir, Path: env.Path, Commands: []string{"kubectl", "docker"}, Env: env.Environ, Pinned: lab.EnvVariables()}
	interactive := terminal.Is(o.In) && len(args) == 0
	if interactive && terminal.Is(o.Process.Err) {
		fmt.Fprintf(o.Err, "Lab %s, cluster %s. kubectl and docker speak to it; `exit` leaves.\n", l.Name(), l.Declared.Cluster.Name)
		o.printOpen(ctx, l.Name())
	}
	start, err := o.heldShell(ctx, hold, program, interactive)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		start = o.plainShell(hold, program, err, interactive)
	}
	if readsLogin(args) {
		fmt.Fprintf(o.Err, "Note: %s reads start files of yours, and what they set comes last.\n", strings.Join(append([]string{filepath.Base(program)}, args[0]), " "))
	}
	err = o.runIn(ctx, start.Env, o.Process.Out, slices.Concat(start.Argv, args)...)
	if interactive && hold.Left() {
		start = o.plainShell(hold, program, fmt.Errorf("at its prompt, kubectl, docker or KUBECONFIG is not the lab's"), true)
		return o.runIn(ctx, start.Env, o.Process.Out, start.Argv...)
	}
	return err
}

// heldShell prepares a shell, and asks it whether it is held.
func (o *shellOptions) heldShell(ctx context.Context, hold shell.Hold, program string, interactive bool) (shell.Start, error) {
	if program == "" {
		program = "/bin/sh"
	}
	start, err := hold.Start(program, interactive)
	if err == nil && interactive {
		err = hold.Probe(ctx, start)
	}
	return start, err
}

// plainShell says why a shell is not taken, and prepares one that reads nobody's files.
func (o *shellOptions) plainShell(hold shell.Hold, program string, why error, interactive bool) shell.Start {
	plain := "/bin/sh"
	if bash := o.machine(0).LookPath("bash"); filepath.IsAbs(bash) {
		plain = bash
	}
	fmt.Fprintf(o.Err, "Your shell %s would not be sure to speak to lab %s: %s. This is a plain %s instead, which reads no start files.\n",
		program, hold.Lab, why, filepath.Base(plain))
	return hold.Plain(plain, interactive)
}

// readsLogin: arguments of a shell by which it reads start files that nothing of ours comes after.
func readsLogin(args []string) bool {
	return len(args) > 0 && (args[0] == "--login" || len(args[0]) > 1 && args[0][0] == '-' && args[0][1] != '-' && strings.ContainsAny(args[0], "li"))
}
