package cli

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/relay"
	"github.com/labctl/labctl/internal/ssh"
)

// relayEnv, where set, makes labctl called as docker run its command at that socket: on the lab's
// host, through the connection of the labctl that opened the shell.
const relayEnv = "LABCTL_RELAY"

// sshEnv holds the arguments of the system's ssh to the lab's host, one a line, for commands that need
// a terminal there.
const sshEnv = "LABCTL_SSH_ARGS"

// bridge makes a lab on another host look as if it were here, until in.done: a port of this machine's
// loopback leads to the API server, and a docker in dir runs its commands on the host. It returns
// the path of a kubeconfig that names the port.
func (s *session) bridge(ctx context.Context, in *surroundings, dir string) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	in.done = cancel
	kubeconfig, err := s.forwardAPI(ctx, nil)
	if err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp("", "labctl-") // a unix socket's path is short
	if err != nil {
		return "", err
	}
	in.done = func() { cancel(); _ = os.RemoveAll(tmp); _ = os.Remove(kubeconfig) }
	socket := filepath.Join(tmp, "relay")
	l, err := net.Listen("unix", socket)
	if err != nil {
		return "", fmt.Errorf("listening for docker's commands: %w", err)
	}
	go func() { _ = relay.Serve(ctx, l, s.remote) }()
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	if err := replaceLink(self, filepath.Join(dir, "docker")); err != nil {
		return "", err
	}
	args, err := ssh.SystemSSHArgs(s.files.Dir(), s.remote.config(s.remote.Endpoint()))
	if err != nil {
		return "", err
	}
	in.env = append(in.env, relayEnv+"="+socket, sshEnv+"="+strings.Join(args, "\n"))
	return kubeconfig, nil
}

// published reports whether the lab's kubeconfig leads to its API server from here: not to that of a lab on a
// host, nor where the engine's loopback is not this machine's.
func (s *session) published(ctx context.Context) bool {
	access, err := s.cluster.Access()
	return s.remote == nil && (err != nil || s.cluster.Published(ctx, strings.TrimPrefix(access.Server, "https://")))
}

// forwardAPI opens a free port of the loopback that leads to the API server, for as long as ctx
// lasts, and writes a kubeconfig for it. Each connection to a host goes through the one that there is
// then, which is a new one when the last has ended. failed is told when that cannot be had.
func (s *session) forwardAPI(ctx context.Context, failed func(error)) (string, error) {
	dialAPI := s.cluster.DialAPI
	if s.remote != nil {
		if _, _, err := s.remote.open(ctx); err != nil {
			return "", clierr.New(clierr.Unknown, "reaching the host: %w", err).WithNext("%s", clierr.NextOf(err))
		}
		dialAPI = s.remote.DialContext
	}
	access, err := s.cluster.Access()
	if err != nil {
		return "", clierr.New(clierr.Unknown, "reading the lab's kubeconfig: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listening for the API server's clients: %w", err)
	}
	there := strings.TrimPrefix(access.Server, "https://")
	dial := func(ctx context.Context) (net.Conn, error) { return dialAPI(ctx, "tcp", there) }
	go func() { _ = ssh.Forward(ctx, l, dial, failed) }()
	access.Server = "https://" + l.Addr().String()
	text, err := access.Kubeconfig(s.cluster.ContextName())
	if err != nil {
		return "", err
	}
	name := "kubeconfig-" + strconv.Itoa(os.Getpid())
	return s.files.Path(name), s.files.WriteFile(name, text)
}

// dockerOnHost is labctl as `docker` in the shell of a lab on another host.
func dockerOnHost(p Process) int {
	argv := append([]string{"docker"}, p.Args[1:]...)
	if wantsTerminal(p.Args[1:]) && isTerminal(p.In) && isTerminal(p.Out) {
		return overSSH(p, argv)
	}
	code, err := relay.Call(p.getenv(relayEnv), argv, p.In, p.Out, p.Err)
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
	args := append([]string{"ssh", "-t"}, strings.Split(p.getenv(sshEnv), "\n")...)
	if err := a.runInsideTo(context.Background(), p.Environ, p.Out, append(args, shellescape.QuoteCommand(argv))...); err != nil {
		return a.report(err)
	}
	return 0
}
