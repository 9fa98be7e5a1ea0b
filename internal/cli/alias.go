package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/kubectl"
	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/relay"
	"github.com/labctl/labctl/internal/untrusted"
	"github.com/labctl/labctl/provision/kind"
)

// alias returns what labctl is under another name: the docker of kind's child, the docker or the kubectl of a lab's
// environment. Nil: it is labctl.
func alias(p Process, name string) func(Process) int {
	switch {
	case name == "docker" && p.getenv(kind.DockerShimEnv) != "":
		return dockerShim
	case name == "docker" && p.getenv(lab.RelayEnv) != "":
		return dockerOnHost
	case name == "kubectl" && p.getenv(lab.NodeEnv) != "":
		return kubectlInNode
	}
	return nil
}

// dockerShim is labctl as the docker of kind's child.
func dockerShim(p Process) int {
	s, err := kind.LoadDockerShim(p.getenv(kind.DockerShimEnv))
	if err != nil {
		complain(p, "docker", err)
		return 1
	}
	code, err := s.Run(p.Args[1:], p.Environ, kind.Streams{In: p.In, Out: p.Out, Err: p.Err})
	if err != nil {
		complain(p, "docker", err)
	}
	return code
}

// dockerOnHost is labctl as `docker` in the environment of a lab on another host.
func dockerOnHost(p Process) int {
	argv := append([]string{"docker"}, p.Args[1:]...)
	if wantsTerminal(p.Args[1:]) && isTerminal(p.In) && isTerminal(p.Out) {
		return overSSH(p, argv)
	}
	code, err := relay.Call(p.getenv(lab.RelayEnv), argv, p.In, p.Out, p.Err)
	if err != nil {
		complain(p, "docker", err)
	}
	return code
}

// wantsTerminal: docker exec -it, docker run -t, and so on.
func wantsTerminal(args []string) bool {
	return slices.ContainsFunc(args, func(a string) bool {
		return a == "--tty" || len(a) > 1 && len(a) < 5 && a[0] == '-' && a[1] != '-' && strings.Contains(a, "t") && strings.Trim(a, "-itd") == ""
	})
}

// overSSH runs a command on the lab's host, on our terminal.
func overSSH(p Process, argv []string) int {
	a := newApp(p)
	args := append([]string{"ssh", "-t"}, strings.Split(p.getenv(lab.SSHEnv), "\n")...)
	if err := a.runIn(context.Background(), p.Environ, p.Out, append(args, shellescape.QuoteCommand(argv))...); err != nil {
		return a.report(err)
	}
	return 0
}

// kubectlInNode is labctl as `kubectl`: it runs the one in the control-plane node, for clusters that no
// kubectl of this machine fits. Local files named with -f are handed over by standard input.
func kubectlInNode(p Process) int {
	args, files, err := kubectl.Carry(p.Args[1:], os.ReadFile)
	if err != nil {
		complain(p, "kubectl", err)
		return 1
	}
	// What is typed or piped is the shell's, unless this kubectl reads it.
	reads := files != nil || kubectl.ReadsInput(args)
	argv, terminal := []string{"docker", "exec"}, reads && files == nil && isTerminal(p.In) && isTerminal(p.Out)
	if reads {
		argv = append(argv, "-i")
	}
	if terminal {
		argv = append(argv, "-t")
	}
	argv = append(argv, p.getenv(lab.NodeEnv), "kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf")
	argv = append(argv, args...)
	var in io.Reader
	switch {
	case files != nil:
		in = bytes.NewReader(files)
	case reads:
		in = p.In
	}
	if p.getenv(lab.RelayEnv) != "" {
		if terminal {
			return overSSH(p, argv)
		}
		code, err := relay.Call(p.getenv(lab.RelayEnv), argv, in, p.Out, p.Err)
		if err != nil {
			complain(p, "kubectl", err)
		}
		return code
	}
	_, dockerPath := (&lab.Machine{Environ: p.Environ}).Docker()
	cmd := exec.Command(dockerPath, argv[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = p.Environ, in, p.Out, p.Err
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return command.Status(exit)
	}
	if err != nil {
		complain(p, "kubectl", err)
		return 1
	}
	return 0
}

// complain says why labctl under another name could not do what it is there for.
func complain(p Process, as string, err error) {
	fmt.Fprintf(p.Err, "labctl as %s: %s\n", as, untrusted.Text(err.Error()))
}

// runIn runs a command in labctl's place, in an environment and on our own terminal. Its exit code is labctl's.
func (a *app) runIn(ctx context.Context, env []string, out *os.File, argv ...string) error {
	a.progress.Close()
	path := argv[0]
	if !strings.ContainsRune(path, filepath.Separator) {
		path = lookPathIn(argv[0], (Process{Environ: env}).getenv("PATH"))
	}
	cmd := exec.Command(path, argv[1:]...)
	cmd.Args[0] = argv[0]
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, a.In, out, a.Process.Err
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	err := a.foreground.Run(cmd)
	var exit *exec.ExitError
	var ended command.EndedBy
	switch {
	case errors.As(err, &exit):
		return commandExit{clierr.Silent(clierr.Failed), command.Status(exit)}
	case errors.As(err, &ended):
		return commandExit{clierr.Silent(clierr.Interrupted), 128 + int(ended)}
	case err != nil:
		return clierr.New(clierr.Failed, "running %s: %w", argv[0], err)
	}
	return nil
}

// lookPathIn is exec.LookPath in other directories than this process's.
func lookPathIn(program, path string) string {
	for _, dir := range filepath.SplitList(path) {
		if found, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return found
		}
	}
	return program
}
