package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"time"

	"al.essio.dev/pkg/shellescape"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/internal/untrusted"
)

// Engine is a Docker engine. It is safe for concurrent use.
type Engine struct {
	Runner command.Runner
	// Journal takes a record before and after every command that changes something. Nil only where
	// nothing is changed.
	Journal *state.Journal
}

// Output runs a docker command that only reads, and returns what it printed. It has ten seconds to answer
// where the engine knows the answer, up to a minute elsewhere; then it is a clierr.Inconclusive, as is an answer that is
// too long.
func (e *Engine) Output(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := bounded(ctx, args, false)
	defer cancel()
	out, err := e.run(ctx, nil, append([]string{"docker"}, args...))
	return out, untold(err)
}

// untold gives a question that came to nothing its class: what was asked cannot be told. An error that has a
// class keeps it.
func untold(err error) error {
	var classed *clierr.Error
	if err == nil || errors.As(err, &classed) {
		return err
	}
	return clierr.New(clierr.Inconclusive, "%w", err)
}

func (e *Engine) run(ctx context.Context, stdin io.Reader, argv []string) (string, error) {
	out := untrusted.NewBuffer(untrusted.MostOutput, "the output of "+strings.Join(argv[:2], " "))
	err := e.Runner.Run(ctx, command.Command{Argv: argv, Stdin: stdin, Stdout: out})
	return out.String(), err
}

// Change runs a docker command that changes something, with a journal record before and after. It has ten
// minutes, or an hour where an image may have to be fetched.
// The act's verb is "docker " and the words of args up to the first flag's place.
func (e *Engine) Change(ctx context.Context, act state.Act, stdin io.Reader, args ...string) (string, error) {
	return e.change(ctx, act, stdin, append([]string{"docker"}, args...))
}

// Pipe is Change for two docker commands on the engine's host, the first one's output being the second one's input.
// The second has to notice an input that is cut short: a shell knows only how it ended itself.
func (e *Engine) Pipe(ctx context.Context, act state.Act, from, to []string) (string, error) {
	line := shellescape.QuoteCommand(append([]string{"docker"}, from...)) + " | " + shellescape.QuoteCommand(append([]string{"docker"}, to...))
	return e.change(ctx, act, nil, []string{"sh", "-c", line})
}

func (e *Engine) change(ctx context.Context, act state.Act, stdin io.Reader, argv []string) (string, error) {
	if e.Journal == nil {
		return "", fmt.Errorf("%s %s: no journal is open", act.Verb, act.Object)
	}
	pending, err := e.Journal.Begin(act)
	full := errors.Is(err, syscall.ENOSPC)
	if err != nil && !(full && removes(act)) {
		return "", err
	}
	ctx, cancel := bounded(ctx, argv[1:], true)
	defer cancel()
	out, err := e.run(ctx, stdin, argv)
	if full {
		return out, err
	}
	if err != nil && (ctx.Err() != nil || wasKilled(err)) {
		// The engine may go on without the command that asked it, so nobody knows how the act ended.
		return out, err
	}
	if jerr := pending.Done(err); err == nil && !(errors.Is(jerr, syscall.ENOSPC) && removes(act)) {
		err = jerr
	}
	return out, err
}

// Pull gets an image, and gives up after a while: a registry may resolve and never answer, and the engine tries again
// and again.
func (e *Engine) Pull(ctx context.Context, addr, name string, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%s was not pulled within %s", name, count.Duration(limit)))
	defer cancel()
	_, err := e.Change(ctx, state.Act{Verb: "docker pull", Object: name, Addr: addr}, nil, "pull", "--quiet", name)
	return err
}

// removes tells whether an act is one that needs no record: begun twice it does no harm, and on a disk
// too full for the record it is what makes room.
func removes(act state.Act) bool {
	return slices.Contains([]string{"docker rm", "docker rmi", "docker volume rm"}, act.Verb)
}

// wasKilled tells that a command was ended by a signal, such as a terminal's Ctrl-C, which reaches it
// as soon as labctl.
func wasKilled(err error) bool {
	var exit *command.ExitError
	return errors.As(err, &exit) && (exit.Code < 0 || exit.Code == 128+int(syscall.SIGINT))
}

// Info is what labctl needs to know of an engine.
type Info struct {
	ID            string `json:"ID"`   // the engine's own, for as long as its data lasts
	Name          string `json:"Name"` // of the machine that it runs on
	ServerVersion string `json:"ServerVersion"`
	CgroupVersion string `json:"CgroupVersion"`
	RootDir       string `json:"DockerRootDir"`
	HTTPProxy     string `json:"HttpProxy"` // the engine's own, for its pulls
	HTTPSProxy    string `json:"HttpsProxy"`
	NoProxy       string `json:"NoProxy"`
	OSType        string `json:"OSType"`
	Architecture  string `json:"Architecture"`
	CPUs          int    `json:"NCPU"`
	Memory        int64  `json:"MemTotal"` // bytes
}

// ErrNoEngine is wrapped by errors that say that no engine answers.
var ErrNoEngine = errors.New("no Docker engine answers")

// Info asks the engine about itself. When none answers the error wraps ErrNoEngine.
func (e *Engine) Info(ctx context.Context) (Info, error) {
	var info Info
	out, err := e.Output(ctx, "info", "--format", "{{json .}}")
	if err != nil {
		return info, noEngine(err)
	}
	if err := json.Unmarshal([]byte(out), &info); err != nil {
		return info, untold(fmt.Errorf("reading docker info: %w", err))
	}
	if info.ServerVersion == "" {
		// The client exits with 0 and an error text among the JSON when the server is away.
		return info, fmt.Errorf("docker info names no server: %w", ErrNoEngine)
	}
	return info, nil
}

// Endpoint returns where docker's commands go, by $DOCKER_HOST or the current context: "unix:///var/run/docker.sock".
func (e *Engine) Endpoint(ctx context.Context) (string, error) {
	out, err := e.Output(ctx, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
	return strings.TrimSpace(out), err
}

// noEngine recognises the client's words for an engine that is not there. Nil stays nil.
func noEngine(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, sign := range []string{
		"Cannot connect to the Docker daemon", "error during connect", "failed to connect to the docker API",
		"connection refused", "executable file not found", "no such file or directory", "permission denied",
	} {
		if strings.Contains(text, sign) {
			return fmt.Errorf("%w: %w", ErrNoEngine, err)
		}
	}
	return err
}

// Container is one container as `docker ps` and `docker inspect` show it.
type Container struct {
	ID     string
	Name   string
	Image  string // the name it was made with
	State  string // created, running, paused, restarting, exited, dead
	Labels map[string]string
}

// Containers lists all containers, running or not, that carry every one of the labels; a label is
// "key" or "key=value".
func (e *Engine) Containers(ctx context.Context, labels ...string) ([]Container, error) {
	return e.list(ctx, labelFilters(labels))
}

// Named lists the containers that have exactly these names; a name that is not there is left out.
func (e *Engine) Named(ctx context.Context, names ...string) ([]Container, error) {
	var filters []string
	for _, n := range names {
		filters = append(filters, "--filter", "name=^/"+n+"$")
	}
	return e.list(ctx, filters)
}

func (e *Engine) list(ctx context.Context, filters []string) ([]Container, error) {
	// Labels in `docker ps` are joined by commas without quoting, so each is asked for by itself.
	const format = `{"id":{{json .ID}},"name":{{json .Names}},"image":{{json .Image}},"state":{{json .State}},"labels":{{json .Labels}}}`
	args := append([]string{"ps", "-a", "--no-trunc", "--format", format}, filters...)
	out, err := e.Output(ctx, args...)
	if err != nil {
		return nil, noEngine(err)
	}
	var all []Container
	for line := range strings.Lines(out) {
		var row struct{ ID, Name, Image, State, Labels string }
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			return nil, untold(fmt.Errorf("reading docker ps: %w", err))
		}
		all = append(all, Container{ID: row.ID, Name: row.Name, Image: row.Image, State: row.State, Labels: splitLabels(row.Labels)})
	}
	return all, nil
}

// splitLabels undoes docker's joining. A value that holds a comma is cut there; labctl's own
// labels and kind's never do.
func splitLabels(joined string) map[string]string {
	labels := map[string]string{}
	for _, pair := range strings.Split(joined, ",") {
		if key, value, ok := strings.Cut(pair, "="); ok {
			labels[key] = value
		}
	}
	return labels
}

func labelFilters(labels []string) []string {
	var args []string
	for _, l := range labels {
		args = append(args, "--filter", "label="+l)
	}
	return args
}

// Volumes lists the names of the volumes that carry every one of the labels.
func (e *Engine) Volumes(ctx context.Context, labels ...string) ([]string, error) {
	out, err := e.Output(ctx, append([]string{"volume", "ls", "--format", "{{.Name}}"}, labelFilters(labels)...)...)
	if err != nil {
		return nil, noEngine(err)
	}
	return strings.Fields(out), nil
}

// Image is a local image.
type Image struct {
	ID     string // sha256:…
	Labels map[string]string
}

// Image looks up a local image; ok is false when the engine does not have it.
func (e *Engine) Image(ctx context.Context, name string) (image Image, ok bool, err error) {
	out, err := e.Output(ctx, "image", "inspect", "--format", `{"id":{{json .ID}},"labels":{{json .Config.Labels}}}`, name)
	if err != nil {
		if strings.Contains(strings.ToLower(err.Error()), "no such image") {
			return image, false, nil
		}
		return image, false, noEngine(err)
	}
	if err := json.Unmarshal([]byte(out), &image); err != nil {
		return image, false, untold(fmt.Errorf("reading docker image inspect %s: %w", name, err))
	}
	return image, true, nil
}
