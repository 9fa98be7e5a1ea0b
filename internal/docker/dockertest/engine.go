// Package dockertest is a Docker engine for unit tests, at the edge of the process: a command.Runner that keeps
// containers, volumes and images, and takes the docker commands that labctl runs. It runs nothing: what a command in
// a container would do is the test's, by Exec. It knows the parts of docker's answers that labctl reads, and refuses
// every other command.
package dockertest

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labctl/labctl/internal/command"
)

// Engine is one. Its fields are set before the first command; its methods may be called from any goroutine, Before and
// Exec included. In a bubble of synctest it has to be made in the bubble.
type Engine struct {
	// Away: no engine answers.
	Away bool
	// Before, where set, is told of each command, without the word docker, before it is taken.
	Before func(line string)
	// Exec, where set, plays `docker exec`, and a pipe of the host's shell, whose container is "": it returns what is
	// printed. Without it a command succeeds and prints nothing. `cat` of Container.Files is played here.
	Exec func(container string, argv []string, stdin string) (string, error)

	mu         sync.Mutex
	containers []*Container
	volumes    map[string]*Volume
	images     map[string]Image
	remote     map[string]Image
	commands   []string
	grown      chan struct{} // closed and replaced with each new container
}

// Container is a container. What is left out is: State running, ID of the name, Started at the moment of Add.
type Container struct {
	ID, Name, Image, State string
	Labels                 map[string]string
	Volumes                []string // names
	Network, Address       string
	Published              string // of every port: "127.0.0.1:32768"
	Started, Ended         time.Time
	Files                  map[string]string // content by path
}

// Volume is a volume.
type Volume struct {
	Labels map[string]string
	// Anonymous: it goes with its container.
	Anonymous bool
	// Busy is how many attempts to remove it are refused though no list shows a container that has it: one is being
	// made or removed.
	Busy int
}

// Image is an image.
type Image struct {
	ID     string
	Labels map[string]string
}

// New returns an engine with nothing in it.
func New() *Engine {
	return &Engine{volumes: map[string]*Volume{}, images: map[string]Image{}, remote: map[string]Image{}, grown: make(chan struct{})}
}

// Add adds a container, or replaces the one of its name. Its volumes are made where they are not there.
func (e *Engine) Add(c Container) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.add(c)
}

func (e *Engine) add(c Container) {
	if c.State == "" {
		c.State = "running"
	}
	if c.ID == "" {
		c.ID = "id-" + c.Name
	}
	if c.Started.IsZero() {
		c.Started = time.Now()
	}
	for _, v := range c.Volumes {
		if e.volumes[v] == nil {
			e.volumes[v] = &Volume{}
		}
	}
	e.containers = append(slices.DeleteFunc(e.containers, func(o *Container) bool { return o.Name == c.Name }), &c)
	close(e.grown)
	e.grown = make(chan struct{})
}

// AddVolume adds a volume.
func (e *Engine) AddVolume(name string, v Volume) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.volumes[name] = &v
}

// AddImage adds an image to those of the engine.
func (e *Engine) AddImage(name string, i Image) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.images[name] = i
}

// Publish adds an image to those that can be pulled.
func (e *Engine) Publish(name string, i Image) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.remote[name] = i
}

// Write writes a file in a container.
func (e *Engine) Write(container, path, text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.find(container); c != nil {
		if c.Files == nil {
			c.Files = map[string]string{}
		}
		c.Files[path] = text
	}
}

// Containers are the names of the containers and their states, "a running", sorted.
func (e *Engine) Containers() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []string
	for _, c := range e.containers {
		all = append(all, c.Name+" "+c.State)
	}
	slices.Sort(all)
	return all
}

// Volumes are the names of the volumes, sorted.
func (e *Engine) Volumes() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.volumeNames(nil)
}

// Ran are the commands so far that begin with a text, each without the word docker.
func (e *Engine) Ran(prefix string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(e.commands), func(line string) bool { return !strings.HasPrefix(line, prefix) })
}

// Run implements command.Runner.
func (e *Engine) Run(ctx context.Context, c command.Command) error {
	args := c.Argv
	if args[0] == "docker" {
		args = args[1:]
	}
	line, stdin := strings.Join(args, " "), ""
	if c.Stdin != nil {
		text, err := io.ReadAll(c.Stdin)
		if err != nil {
			return err
		}
		stdin = string(text)
	}
	if e.Before != nil {
		e.Before(line)
	}
	e.mu.Lock()
	e.commands = append(e.commands, line)
	e.mu.Unlock()
	var out string
	var err error
	switch {
	case e.Away:
		err = failure("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?")
	case args[0] == "events":
		return e.events(ctx, args, c.Stdout)
	case args[0] == "exec", c.Argv[0] == "sh":
		out, err = e.exec(c.Argv, stdin)
	default:
		out, err = e.answer(args)
	}
	if exit, ok := err.(*command.ExitError); ok {
		exit.Argv = c.Argv
	}
	if err == nil && c.Stdout != nil {
		_, err = io.WriteString(c.Stdout, out)
	}
	return err
}

// failure is a docker command that has failed.
func failure(text string) error { return &command.ExitError{Code: 1, Stderr: text} }

// find returns the container of a name or an id; the caller holds e.mu.
func (e *Engine) find(name string) *Container {
	i := slices.IndexFunc(e.containers, func(c *Container) bool { return c.Name == name || c.ID == name })
	if i < 0 {
		return nil
	}
	return e.containers[i]
}
