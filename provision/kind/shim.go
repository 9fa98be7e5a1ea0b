package kind

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/relay"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/internal/untrusted"
)

// DockerShimEnv names the environment variable that holds the path of the docker shim's instructions.
const DockerShimEnv = "LABCTL_SHIM"

// DockerShim is `docker` as kind's child process sees it. It puts the lab's marks on what `run` makes,
// journals every command that changes something, and hands the command on to the real docker.
//
// kind asks for the same few facts over and over (43 of its 89 commands ask for a node's role), so
// answers that cannot change while a cluster is made are kept in Cache.
type DockerShim struct {
	Docker string   `json:"docker"` // path of the real docker command, or
	Relay  string   `json:"relay"`  // the socket of the labctl that runs it on another host
	Labels []string `json:"labels"` // "key=value"
	Addr   string   `json:"addr"`   // the cluster's address, for the journal
	Cache  string   `json:"cache"`  // a directory, or ""
	Home   string   `json:"home"`   // labctl's home directory, and
	Lab    string   `json:"lab"`    // the lab whose journal takes the records
	// Proxies says what nodes are told of proxies: what docker and kind tell them, kind alone, or nobody.
	Proxies string `json:"proxies,omitempty"`
}

// The values of DockerShim.Proxies, besides none.
const (
	proxiesOfKind = "kind"
	noProxies     = "none"
)

// LoadDockerShim reads the instructions that the parent wrote.
func LoadDockerShim(path string) (*DockerShim, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the docker shim's instructions: %w", err)
	}
	s := &DockerShim{}
	if err := json.Unmarshal(raw, s); err != nil {
		return nil, fmt.Errorf("reading the docker shim's instructions in %s: %w", path, err)
	}
	return s, nil
}

// Streams are a process's standard streams.
type Streams struct {
	In       *os.File
	Out, Err *os.File
}

// Run does what `docker args...` should do and returns the exit status. Read-only commands replace
// this process by docker, so they cost no second process.
func (s *DockerShim) Run(args, environ []string, streams Streams) (int, error) {
	if key, ok := s.cacheKey(args); ok {
		return s.cached(key, args, environ, streams)
	}
	act, changes := actOf(args)
	if !changes && s.Relay != "" {
		return s.docker(args, environ, streams.In, streams.Out, streams.Err)
	}
	if !changes {
		return 1, syscall.Exec(s.Docker, append([]string{"docker"}, args...), environ)
	}
	if act.Verb == "docker network rm" {
		// kind removes what it takes for duplicates, after a look at running containers alone. labctl has
		// removed the empty ones before; those that came since are removed by the same rule.
		return s.removeDuplicates(environ)
	}
	act.Addr = s.Addr
	j, err := state.Home{Dir: s.Home}.Lab(s.Lab).OpenJournal()
	if err != nil {
		return 1, err
	}
	pending, err := j.Begin(act)
	if err != nil {
		return 1, err
	}
	code, err := s.docker(s.mark(args), environ, streams.In, streams.Out, streams.Err)
	done := err
	if err == nil && code != 0 {
		done = fmt.Errorf("exit status %d", code)
	}
	if jerr := pending.Done(done); err == nil {
		err = jerr
	}
	return code, err
}

// removeDuplicates removes the empty duplicates of kind's network, and no other.
func (s *DockerShim) removeDuplicates(environ []string) (int, error) {
	j, err := state.Home{Dir: s.Home}.Lab(s.Lab).OpenJournal()
	if err != nil {
		return 1, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), networkTimeout)
	defer cancel()
	engine := &docker.Engine{Runner: shimRunner{s, environ}, Journal: j}
	if err := engine.RemoveDuplicateNetworks(ctx, s.Addr, Network); err != nil {
		return 1, err
	}
	return 0, nil
}

const networkTimeout = 30 * time.Second

// shimRunner is the docker shim's docker as the engine's runner.
type shimRunner struct {
	shim    *DockerShim
	environ []string
}

func (r shimRunner) Run(ctx context.Context, c command.Command) error {
	if r.shim.Relay == "" {
		return command.Local{Docker: r.shim.Docker, Env: r.environ}.Run(ctx, c)
	}
	var said bytes.Buffer
	code, err := relay.Call(r.shim.Relay, c.Argv, strings.NewReader(""), c.Stdout, &said)
	if err == nil && code != 0 {
		err = &command.ExitError{Argv: c.Argv, Code: code, Stderr: strings.TrimSpace(said.String())}
	}
	return err
}

// docker runs a command. kind keeps whole what it says, and what a node says has no end of its own.
func (s *DockerShim) docker(args, environ []string, in io.Reader, out, errw io.Writer) (int, error) {
	what := "the output of docker " + args[0]
	out, errw = untrusted.Writer(out, untrusted.MostOutput, what), untrusted.Writer(errw, untrusted.MostOutput, what)
	if s.Relay != "" {
		return relay.Call(s.Relay, append([]string{"docker"}, args...), in, out, errw)
	}
	cmd := exec.Command(s.Docker, args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = environ, in, out, errw
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}

// readsOnly are the docker commands of kind's that change nothing.
var readsOnly = []string{"ps", "inspect", "info", "logs", "version", "images", "-v", "--version", "context", "port"}

// nodeReads are the commands that kind runs inside a node to read.
var nodeReads = []string{"cat", "crictl", "ls", "test", "stat"}

// actOf tells whether a command changes anything, and names it for the journal.
func actOf(args []string) (state.Act, bool) {
	if len(args) == 0 || slices.Contains(readsOnly, args[0]) {
		return state.Act{}, false
	}
	switch args[0] {
	case "network", "volume", "image", "container":
		if len(args) < 2 || slices.Contains([]string{"ls", "list", "inspect"}, args[1]) {
			return state.Act{}, false
		}
		return state.Act{Verb: "docker " + args[0] + " " + args[1], Object: args[len(args)-1]}, true
	case "run", "create":
		return state.Act{Verb: "docker " + args[0], Object: flagValue(args, "--name")}, true
	case "exec":
		node, command := execTarget(args)
		if len(command) > 0 && slices.Contains(nodeReads, command[0]) {
			return state.Act{}, false
		}
		return state.Act{Verb: "docker exec", Object: node, Detail: brief(command)}, true
	}
	return state.Act{Verb: "docker " + args[0], Object: args[len(args)-1]}, true
}

func flagValue(args []string, flag string) string {
	if i := slices.Index(args, flag); i >= 0 && i+1 < len(args) {
		return args[i+1]
	}
	return ""
}

// execTarget finds the node and the command in `docker exec` as kind writes it: --privileged, -i
// and -e NAME=VALUE come before the node.
func execTarget(args []string) (node string, command []string) {
	for i := 1; i < len(args); i++ {
		switch {
		case args[i] == "-e":
			i++
		case strings.HasPrefix(args[i], "-"):
		default:
			return args[i], args[i+1:]
		}
	}
	return "", nil
}

// brief names a command without its secrets: kubeadm's arguments may hold a bootstrap token.
func brief(command []string) string {
	const words = 2
	var kept []string
	for _, w := range command {
		if strings.HasPrefix(w, "-") || len(kept) == words {
			break
		}
		kept = append(kept, w)
	}
	return strings.Join(kept, " ")
}

// mark adds the lab's labels to what `docker run` makes: to the container, and to the anonymous
// volume on /var, which could not be told from a stranger's if its container were lost.
func (s *DockerShim) mark(args []string) []string {
	if args[0] != "run" && args[0] != "create" {
		return args
	}
	marked := []string{args[0]}
	for _, l := range s.Labels {
		marked = append(marked, "--label", l)
	}
	for i := 1; i < len(args); i++ {
		if args[i] == "--volume" && i+1 < len(args) && !strings.Contains(args[i+1], ":") {
			mount := "type=volume,destination=" + args[i+1]
			for _, l := range s.Labels {
				mount += ",volume-label=" + l
			}
			marked = append(marked, "--mount", mount)
			i++
			continue
		}
		marked = append(marked, args[i])
	}
	if s.Proxies != "" {
		return onlyProxy(marked, s.Proxies == proxiesOfKind)
	}
	return marked
}

// cacheKey says which answers hold for as long as a cluster is being made: what the engine is, and
// the labels and addresses of a node that runs.
func (s *DockerShim) cacheKey(args []string) (string, bool) {
	if s.Cache == "" || len(args) == 0 {
		return "", false
	}
	fixed := args[0] == "info" ||
		args[0] == "inspect" && len(args) == 4 && (strings.Contains(args[2], ".Config.Labels") || strings.Contains(args[2], ".NetworkSettings"))
	if !fixed {
		return "", false
	}
	sum := sha256.Sum256([]byte(strings.Join(args, "\x00")))
	return filepath.Join(s.Cache, hex.EncodeToString(sum[:8])), true
}

func (s *DockerShim) cached(key string, args, environ []string, streams Streams) (int, error) {
	if answer, err := os.ReadFile(key); err == nil {
		_, err = streams.Out.Write(answer)
		return 0, err
	}
	var answer strings.Builder
	code, err := s.docker(args, environ, streams.In, &answer, streams.Err)
	if err != nil || code != 0 {
		_, _ = io.WriteString(streams.Out, answer.String())
		return code, err
	}
	// Several may ask at once; the rename makes each answer whole.
	if tmp, terr := os.CreateTemp(s.Cache, "answer"); terr == nil {
		_, werr := tmp.WriteString(answer.String())
		if cerr := tmp.Close(); werr == nil && cerr == nil {
			_ = os.Rename(tmp.Name(), key)
		}
	}
	_, err = io.WriteString(streams.Out, answer.String())
	return code, err
}
