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
	"github.com/labctl/labctl/internal/shell"
)

// labVariables are the variables that decide which lab and which engine is spoken to.
func labVariables() []string {
	return []string{
		"KUBECONFIG", "LABCTL_LAB", "LABCTL_HOME", "LABCTL_OWNER", kubectlNodeEnv, relayEnv, sshEnv,
		"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION",
	}
}

func (a *app) shellCommand() *cobra.Command {
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
			s, err := a.entered(cmd.Context())
			if err != nil {
				return err
			}
			in, err := s.inside(cmd.Context())
			if err != nil {
				return err
			}
			defer in.done()
			program := a.getenv("SHELL")
			switch {
			case len(args) > 0 && !shell.Known(args[0]):
				return a.runInside(cmd.Context(), in.env, args)
			case len(args) > 0:
				program = lookPathAny(args[0], a.getenv("PATH"))
			}
			return s.openShell(cmd.Context(), in, program, args[min(1, len(args)):])
		},
	}
}

// openShell runs a shell that is held to the lab. With arguments it is one that runs a script and ends.
func (s *session) openShell(ctx context.Context, in *surroundings, program string, args []string) error {
	a := s.app
	dir, err := os.Getwd()
	if err != nil {
		return clierr.New(clierr.Refused, "finding the working directory: %w", err)
	}
	files, err := os.MkdirTemp(s.files.Dir(), "shell-")
	if err != nil {
		return clierr.New(clierr.Failed, "preparing the shell: %w", err)
	}
	defer os.RemoveAll(files)
	hold := shell.Hold{Lab: s.lab.Name, Files: files, Dir: dir, Path: in.path, Commands: []string{"kubectl", "docker"}, Env: in.env, Pinned: labVariables()}
	interactive := isTerminal(a.In) && len(args) == 0
	if interactive && isTerminal(a.Process.Err) {
		fmt.Fprintf(a.Err, "Lab %s, cluster %s. kubectl and docker speak to it; `exit` leaves.\n", s.lab.Name, s.lab.Cluster.Name)
	}
	start, err := a.heldShell(ctx, hold, program, interactive)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		start = a.plainShell(hold, program, err, interactive)
	}
	if readsLogin(args) {
		fmt.Fprintf(a.Err, "Note: %s reads start files of yours, and what they set comes last.\n", strings.Join(append([]string{filepath.Base(program)}, args[0]), " "))
	}
	err = a.runInside(ctx, start.Env, slices.Concat(start.Argv, args))
	if interactive && hold.Left() {
		start = a.plainShell(hold, program, fmt.Errorf("at its prompt, kubectl, docker or KUBECONFIG is not the lab's"), true)
		return a.runInside(ctx, start.Env, start.Argv)
	}
	return err
}

// heldShell prepares a shell, and asks it whether it is held.
func (a *app) heldShell(ctx context.Context, hold shell.Hold, program string, interactive bool) (shell.Start, error) {
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
func (a *app) plainShell(hold shell.Hold, program string, why error, interactive bool) shell.Start {
	plain := "/bin/sh"
	if bash := lookPath("bash", a.getenv("PATH")); filepath.IsAbs(bash) {
		plain = bash
	}
	fmt.Fprintf(a.Err, "Your shell %s would not be sure to speak to lab %s: %s. This is a plain %s instead, which reads no start files.\n",
		program, hold.Lab, why, filepath.Base(plain))
	return hold.Plain(plain, interactive)
}

// readsLogin: arguments of a shell by which it reads start files that nothing of ours comes after.
func readsLogin(args []string) bool {
	return len(args) > 0 && (args[0] == "--login" || len(args[0]) > 1 && args[0][0] == '-' && args[0][1] != '-' && strings.ContainsAny(args[0], "li"))
}
