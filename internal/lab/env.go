package lab

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/relay"
	"github.com/labctl/labctl/internal/shell"
	"github.com/labctl/labctl/internal/ssh"
	"github.com/labctl/labctl/internal/state"
)

// The variables by which the programs of a lab's environment, which are labctl under other names, know where to turn.
const (
	// NodeEnv, where set, makes labctl called as kubectl run the one in that node.
	NodeEnv = "LABCTL_KUBECTL_NODE"
	// RelayEnv, where set, makes labctl called as docker run its command at that socket: on the lab's
	// host, through the connection of the labctl that made the environment.
	RelayEnv = "LABCTL_RELAY"
	// SSHEnv holds the arguments of the system's ssh to the lab's host, one a line, for commands that need
	// a terminal there.
	SSHEnv = "LABCTL_SSH_ARGS"
)

// EnvVariables are the variables that decide which lab and which engine is spoken to.
func EnvVariables() []string {
	return []string{
		"KUBECONFIG", "LABCTL_LAB", "LABCTL_HOME", "LABCTL_OWNER", NodeEnv, RelayEnv, SSHEnv,
		"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION",
	}
}

// Env is an environment in which the course's commands work against a lab, until Close.
type Env struct {
	Environ []string
	Path    string // the directory that has the lab's kubectl and docker
	closers []func()
}

// Close ends what leads to the lab.
func (e *Env) Close() {
	for _, end := range slices.Backward(e.closers) {
		end()
	}
	e.closers = nil
}

// Bare is the environment of commands that labctl runs by itself: what they need to find programs and the lab, and
// nothing of the many things that people keep in variables.
func (e *Env) Bare() []string {
	needed := append(EnvVariables(), "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "TZ", "TMPDIR")
	return slices.DeleteFunc(slices.Clone(e.Environ), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return !slices.Contains(needed, name) && !strings.HasPrefix(name, "LC_")
	})
}

// Env returns the environment in which the course's commands work: a kubectl that fits and the lab's kubeconfig; for
// a lab on another host also a docker that runs its commands there, and a port of this machine's loopback that leads
// to the API server, both through the lab's one connection. It lasts until its Close or the end of ctx.
func (l *Lab) Env(ctx context.Context) (*Env, error) {
	if _, err := l.cluster.Client(ctx); err != nil {
		return nil, clierr.New(clierr.Inconclusive, "lab %s cannot be reached: %w", l.Name(), err).
			WithNext("`labctl status %s` says what stands and what does not.", l.Name())
	}
	e := &Env{Path: l.files.Path("path")}
	if err := l.fill(ctx, e); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

func (l *Lab) fill(ctx context.Context, e *Env) error {
	if err := os.MkdirAll(e.Path, 0o700); err != nil {
		return err
	}
	var more []string
	kubeconfig, err := l.localKubeconfig(ctx, e)
	if err == nil && l.remote != nil {
		more, err = l.dockerThere(ctx, e)
	} else if err == nil && filepath.IsAbs(l.cluster.Docker) {
		err = replaceLink(l.cluster.Docker, filepath.Join(e.Path, "docker"))
	}
	if err == nil {
		err = l.linkKubectl(ctx, filepath.Join(e.Path, "kubectl"))
	}
	if err != nil {
		return err
	}
	path := ""
	for _, kv := range shell.Environ(l.m.Environ) {
		name, value, _ := strings.Cut(kv, "=")
		switch name {
		case "PATH":
			path = value
		case "KUBECONFIG", "LABCTL_LAB", NodeEnv, RelayEnv, SSHEnv:
		default:
			e.Environ = append(e.Environ, kv)
		}
	}
	e.Environ = append(e.Environ, "PATH="+e.Path+string(os.PathListSeparator)+path, "KUBECONFIG="+kubeconfig,
		"LABCTL_LAB="+l.Name(), NodeEnv+"="+l.cluster.ControlPlane())
	e.Environ = append(e.Environ, more...)
	if l.remote == nil && l.m.Getenv("DOCKER_HOST") == "" && l.m.Getenv("DOCKER_CONTEXT") == "" {
		// The context that is current now: a start file may choose another one.
		name, err := l.engine.Output(ctx, "context", "inspect", "--format", "{{.Name}}")
		if name = strings.TrimSpace(name); err == nil && contextName.MatchString(name) {
			e.Environ = append(e.Environ, "DOCKER_CONTEXT="+name)
		}
	}
	return nil
}

// contextName matches the names of docker's contexts, as its command checks them.
var contextName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.+-]{1,99}$`)

// localKubeconfig returns the path of a kubeconfig that leads to the API server from this machine.
func (l *Lab) localKubeconfig(ctx context.Context, e *Env) (string, error) {
	if l.published(ctx) {
		return l.files.Path(state.KubeconfigFile), nil
	}
	serving, cancel := context.WithCancel(ctx)
	path, err := l.forwardAPI(serving, nil)
	e.closers = append(e.closers, func() { cancel(); _ = os.Remove(path) })
	return path, err
}

// dockerThere puts a docker into the environment that runs its commands on the lab's host, and returns the variables
// that it needs.
func (l *Lab) dockerThere(ctx context.Context, e *Env) ([]string, error) {
	serving, cancel := context.WithCancel(ctx)
	e.closers = append(e.closers, cancel)
	tmp, err := os.MkdirTemp("", "labctl-") // a unix socket's path is short
	if err != nil {
		return nil, err
	}
	e.closers = append(e.closers, func() { _ = os.RemoveAll(tmp) })
	socket := filepath.Join(tmp, "relay")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("listening for docker's commands: %w", err)
	}
	go func() { _ = relay.Serve(serving, listener, l.remote) }()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := replaceLink(self, filepath.Join(e.Path, "docker")); err != nil {
		return nil, err
	}
	args, err := ssh.SystemSSHArgs(l.files.Dir(), l.remote.config(l.remote.Endpoint()))
	return []string{RelayEnv + "=" + socket, SSHEnv + "=" + strings.Join(args, "\n")}, err
}

// published reports whether the lab's kubeconfig leads to its API server from here: not to that of a lab on a
// host, nor where the engine's loopback is not this machine's.
func (l *Lab) published(ctx context.Context) bool {
	access, err := l.cluster.Access()
	return l.remote == nil && (err != nil || l.cluster.Published(ctx, strings.TrimPrefix(access.Server, "https://")))
}

// forwardAPI opens a free port of the loopback that leads to the API server, for as long as ctx
// lasts, and writes a kubeconfig for it. Each connection to a host goes through the one that there is
// then, which is a new one when the last has ended. failed is told when that cannot be had.
func (l *Lab) forwardAPI(ctx context.Context, failed func(error)) (string, error) {
	dialAPI := l.cluster.DialAPI
	if l.remote != nil {
		if _, _, err := l.remote.open(ctx); err != nil {
			return "", clierr.New(clierr.Inconclusive, "reaching the host: %w", err).WithNext("%s", clierr.NextOf(err))
		}
		dialAPI = l.remote.DialContext
	}
	access, err := l.cluster.Access()
	if err != nil {
		return "", clierr.New(clierr.Inconclusive, "reading the lab's kubeconfig: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listening for the API server's clients: %w", err)
	}
	there := strings.TrimPrefix(access.Server, "https://")
	dial := func(ctx context.Context) (net.Conn, error) { return dialAPI(ctx, "tcp", there) }
	go func() { _ = ssh.Forward(ctx, listener, dial, failed) }()
	access.Server = "https://" + listener.Addr().String()
	text, err := access.Kubeconfig(l.cluster.ContextName())
	if err != nil {
		return "", err
	}
	name := "kubeconfig-" + strconv.Itoa(os.Getpid())
	return l.files.Path(name), l.files.WriteFile(name, text)
}

// Kubeconfig returns the path of the lab's kubeconfig, after it has seen that it is there, and whether its server
// answers at an address of this machine.
func (l *Lab) Kubeconfig(ctx context.Context) (path string, published bool, err error) {
	if _, err := l.cluster.Client(ctx); err != nil {
		return "", false, clierr.New(clierr.Inconclusive, "%w", err)
	}
	return l.files.Path(state.KubeconfigFile), l.published(ctx), nil
}

// Serve opens a port of this machine that leads to the API server until ctx ends, and returns the path of a
// kubeconfig that names it, which the caller removes. failed is told when the API server cannot be reached; the next
// connection tries again.
func (l *Lab) Serve(ctx context.Context, failed func(error)) (path string, err error) {
	if l.remote != nil {
		if _, _, err := l.remote.open(ctx); clierr.NextOf(err) != "" {
			return "", err
		} else if err != nil {
			return "", clierr.New(clierr.Inconclusive, "reaching the host of lab %s: %w", l.Name(), err).WithNext("`labctl status %s` says how it is.", l.Name())
		}
	}
	return l.forwardAPI(ctx, failed)
}

// SSHCommand returns the command line of the system's ssh to the lab's host. Several words of a command are passed on
// as they are; a single one is a line for the host's shell. tty asks for a terminal there. The lab is Remote.
func (l *Lab) SSHCommand(words []string, tty bool) ([]string, error) {
	program := l.m.LookPath("ssh")
	if !filepath.IsAbs(program) {
		return nil, clierr.New(clierr.Refused, "there is no ssh command on the PATH").
			WithNext("Install the OpenSSH client, or use `labctl shell`, which needs none.")
	}
	at, host := l.remote.Endpoint(), l.remote.State
	switch {
	case l.remote.keyless != nil:
		return nil, l.remote.keyless
	case !host.Stopped.IsZero():
		return nil, clierr.New(clierr.Refused, "the host of lab %s (%s) is stopped", l.Name(), at.Instance).WithNext("`labctl start` starts it again.")
	case at.Address == "" || at.HostKey == "":
		return nil, clierr.New(clierr.Refused, "lab %s has no host whose key is known", l.Name()).WithNext("`labctl up %s` makes it, or goes on with it.", filepath.Base(l.Declared.Path))
	}
	args, err := ssh.SystemSSHArgs(l.files.Dir(), l.remote.config(at))
	if err != nil {
		return nil, err
	}
	argv := []string{program, "-o", "ConnectTimeout=20"}
	if len(words) > 0 && tty {
		argv = append(argv, "-t")
	}
	argv = slices.Concat(argv, args)
	switch len(words) {
	case 0:
		return argv, nil
	case 1:
		return append(argv, words[0]), nil
	}
	return append(argv, shellescape.QuoteCommand(words)), nil
}

// replaceLink makes link point to target; a shell that uses it meanwhile finds the old or the new.
func replaceLink(target, link string) error {
	if have, err := os.Readlink(link); err == nil && have == target {
		return nil
	}
	tmp := link + ".tmp" + strconv.Itoa(os.Getpid())
	if err := os.Symlink(target, tmp); err != nil {
		return err
	}
	return os.Rename(tmp, link)
}
