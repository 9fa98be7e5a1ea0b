package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/shell"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/internal/untrusted"
)

// kubectlNodeEnv, where set, makes labctl called as kubectl run the one in that node.
const kubectlNodeEnv = "LABCTL_KUBECTL_NODE"

func (a *app) kubectlCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "kubectl -- ARGS...",
		Short: "Run kubectl against the lab",
		Long: `Kubectl runs kubectl with the lab's kubeconfig: the one on your PATH when it is within one minor
version of the cluster (https://kubernetes.io/releases/version-skew-policy/#kubectl), else that of
the image which labctl made the nodes from. Where that is not labctl's own image, or the lab is on a
host, it is the one in the node, run there: local files that -f names are handed over.`,
		Example: "  labctl kubectl -- get pods\n  labctl kubectl -- logs --previous deploy/crashloop",
		Args:    between(1, 1<<20, "kubectl's arguments after --"),
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
			return a.runInside(cmd.Context(), in.env, append([]string{"kubectl"}, args...))
		},
	}
}

// runInside runs a command with the lab's environment and our own terminal.
func (a *app) runInside(ctx context.Context, env, argv []string) error {
	return a.runInsideTo(ctx, env, a.Out, argv...)
}

// runInsideTo is runInside with standard output going elsewhere.
func (a *app) runInsideTo(ctx context.Context, env []string, out *os.File, argv ...string) error {
	path := argv[0]
	if !strings.ContainsRune(path, filepath.Separator) {
		for _, kv := range env {
			if dirs, ok := strings.CutPrefix(kv, "PATH="); ok {
				path = lookPathAny(argv[0], dirs)
			}
		}
	}
	cmd := exec.Command(path, argv[1:]...)
	cmd.Args[0] = argv[0]
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, a.In, out, a.Process.Err
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	err := a.child.run(cmd)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return commandExit{silent(clierr.Failed), statusOf(exit)}
	}
	var ended endedBy
	if errors.As(err, &ended) {
		return commandExit{silent(clierr.Interrupted), 128 + int(ended)}
	}
	if err != nil {
		return clierr.New(clierr.Failed, "running %s: %w", argv[0], err)
	}
	return nil
}

// commandExit is a command that labctl ran for the user and that said itself what went wrong; its
// exit code is labctl's.
type commandExit struct {
	error
	code int
}

func (e commandExit) Unwrap() error { return e.error }

// lookPathAny is exec.LookPath in other directories than this process's.
func lookPathAny(command, path string) string {
	for _, dir := range filepath.SplitList(path) {
		if found, err := exec.LookPath(filepath.Join(dir, command)); err == nil {
			return found
		}
	}
	return command
}

// surroundings are the environment of a command inside a lab, for as long as done is not called.
type surroundings struct {
	env  []string
	path string // the directory that has the lab's kubectl and docker
	done func()
}

// inside returns the environment in which the course's commands work: a kubectl that fits and the
// lab's kubeconfig; for a lab on another host also a docker that speaks to it, and a port of this
// machine's loopback for the API server, both through our connection.
func (s *session) inside(ctx context.Context) (*surroundings, error) {
	if _, err := s.cluster.Client(ctx); err != nil {
		return nil, clierr.New(clierr.Unknown, "lab %s cannot be reached: %w", s.lab.Name, err).
			WithNext("`labctl status %s` says what stands and what does not.", s.lab.Name)
	}
	dir := s.files.Path("path")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	in := &surroundings{path: dir, done: func() {}}
	kubeconfig := s.files.Path(state.KubeconfigFile)
	switch {
	case s.remote != nil:
		var err error
		if kubeconfig, err = s.bridge(ctx, in, dir); err != nil {
			return nil, err
		}
	case !s.published(ctx):
		serving, cancel := context.WithCancel(ctx)
		forwarded, err := s.forwardAPI(serving, nil)
		if err != nil {
			cancel()
			return nil, err
		}
		kubeconfig, in.done = forwarded, func() { cancel(); _ = os.Remove(forwarded) }
	}
	if s.remote == nil && filepath.IsAbs(s.cluster.Docker) {
		if err := replaceLink(s.cluster.Docker, filepath.Join(dir, "docker")); err != nil {
			return nil, err
		}
	}
	if err := s.kubectl(ctx, filepath.Join(dir, "kubectl")); err != nil {
		in.done()
		return nil, err
	}
	path := ""
	for _, kv := range shell.Environ(s.app.Environ) {
		name, value, _ := strings.Cut(kv, "=")
		switch name {
		case "PATH":
			path = value
		case "KUBECONFIG", "LABCTL_LAB", kubectlNodeEnv, relayEnv, sshEnv:
		default:
			in.env = append(in.env, kv)
		}
	}
	in.env = append(in.env, "PATH="+dir+string(os.PathListSeparator)+path, "KUBECONFIG="+kubeconfig,
		"LABCTL_LAB="+s.lab.Name, kubectlNodeEnv+"="+s.cluster.ControlPlane())
	if s.remote == nil && s.app.getenv("DOCKER_HOST") == "" && s.app.getenv("DOCKER_CONTEXT") == "" {
		// The context that is current now: a start file may choose another one.
		name, err := s.engine.Output(ctx, "context", "inspect", "--format", "{{.Name}}")
		if name = strings.TrimSpace(name); err == nil && contextName.MatchString(name) {
			in.env = append(in.env, "DOCKER_CONTEXT="+name)
		}
	}
	return in, nil
}

// contextName matches the names of docker's contexts, as its command checks them.
var contextName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.+-]{1,99}$`)

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

// clientVersion asks a kubectl for its version; "" when it does not say.
func clientVersion(ctx context.Context, path string) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out := untrusted.NewBuffer(1<<20, "the output of kubectl version")
	if err := (command.Local{}).Run(ctx, command.Command{Argv: []string{path, "version", "--client", "-o", "json"}, Stdout: out}); err != nil {
		return ""
	}
	var v struct {
		ClientVersion struct {
			GitVersion string `json:"gitVersion"`
		} `json:"clientVersion"`
	}
	if json.Unmarshal(out.Bytes(), &v) != nil {
		return ""
	}
	return v.ClientVersion.GitVersion
}

func withinOneMinor(client, server string) bool {
	a, err1 := version.ParseMajorMinor(client)
	b, err2 := version.ParseMajorMinor(server)
	return err1 == nil && err2 == nil && a.Major() == b.Major() && a.Minor() <= b.Minor()+1 && b.Minor() <= a.Minor()+1
}

// matches says whether an engine's architecture, in uname's words, is this program's.
func matches(architecture string) bool {
	return map[string]string{"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}[architecture] == runtime.GOARCH
}

func firstWord(text string) string {
	if words := strings.Fields(text); len(words) > 0 {
		return words[0]
	}
	return ""
}
