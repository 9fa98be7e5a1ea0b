// Package alias is labctl under other names: the docker that kind calls, and the docker and kubectl of the environment
// in which the course's commands work against a lab. Each does what is typed and prints only what keeps it from that.
package alias

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/kubectl"
	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/relay"
	"github.com/labctl/labctl/internal/terminal"
	"github.com/labctl/labctl/internal/untrusted"
	"github.com/labctl/labctl/provision/kind"
)

// Named returns what labctl is when it is called by that name, where the environment asks for it; nil: it is labctl.
func Named(name string, p command.Process) func(command.Process) int {
	switch {
	case name == "docker" && p.Getenv(kind.DockerShimEnv) != "":
		return dockerShim
	case name == "docker" && p.Getenv(lab.RelayEnv) != "":
		return dockerOnHost
	case name == "kubectl" && p.Getenv(lab.NodeEnv) != "":
		return kubectlInNode
	}
	return nil
}

// dockerShim is labctl as the docker of kind's child.
func dockerShim(p command.Process) int {
	s, err := kind.LoadDockerShim(p.Getenv(kind.DockerShimEnv))
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
func dockerOnHost(p command.Process) int {
	argv := append([]string{"docker"}, p.Args[1:]...)
	if wantsTerminal(p.Args[1:]) && terminal.Is(p.In) && terminal.Is(p.Out) {
		return overSSH(p, argv)
	}
	code, err := relay.Call(p.Getenv(lab.RelayEnv), argv, p.In, p.Out, p.Err)
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
func overSSH(p command.Process, argv []string) int {
	args := append([]string{"ssh", "-t"}, strings.Split(p.Getenv(lab.SSHEnv), "\n")...)
	cmd := exec.Command(args[0], append(args[1:], shellescape.QuoteCommand(argv))...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = p.Environ, p.In, p.Out, p.Err
	return run(p, "docker", cmd)
}

// kubectlInNode is labctl as `kubectl`: it runs the one in the control-plane node, for clusters that no
// kubectl of this machine fits. Local files named with -f are handed over by standard input.
func kubectlInNode(p command.Process) int {
	args, files, err := kubectl.Carry(p.Args[1:], os.ReadFile)
	if err != nil {
		complain(p, "kubectl", err)
		return 1
	}
	// What is typed or piped is the shell's, unless this kubectl reads it.
	reads := files != nil || kubectl.ReadsInput(args)
	argv, terminal := []string{"docker", "exec"}, reads && files == nil && terminal.Is(p.In) && terminal.Is(p.Out)
	if reads {
		argv = append(argv, "-i")
	}
	if terminal {
		argv = append(argv, "-t")
	}
	argv = append(argv, p.Getenv(lab.NodeEnv), "kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf")
	argv = append(argv, args...)
	var in io.Reader
	switch {
	case files != nil:
		in = bytes.NewReader(files)
	case reads:
		in = p.In
	}
	if p.Getenv(lab.RelayEnv) != "" {
		if terminal {
			return overSSH(p, argv)
		}
		code, err := relay.Call(p.Getenv(lab.RelayEnv), argv, in, p.Out, p.Err)
		if err != nil {
			complain(p, "kubectl", err)
		}
		return code
	}
	_, dockerPath := (&lab.Machine{Environ: p.Environ}).Docker()
	cmd := exec.Command(dockerPath, argv[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = p.Environ, in, p.Out, p.Err
	return run(p, "kubectl", cmd)
}

// run runs a command in labctl's place and returns its exit code.
func run(p command.Process, as string, cmd *exec.Cmd) int {
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return command.Status(exit)
	case err != nil:
		complain(p, as, err)
		return 1
	}
	return 0
}

// complain says why labctl under another name could not do what it is there for.
func complain(p command.Process, as string, err error) {
	fmt.Fprintf(p.Err, "labctl as %s: %s\n", as, untrusted.Text(err.Error()))
}
