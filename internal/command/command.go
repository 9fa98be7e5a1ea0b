// Package docker speaks to one Docker engine through the docker command line, wherever that runs:
// on this machine, or on a host at the other end of a connection. It knows containers, volumes and
// images; it does not know what labctl makes of them.
//
// The command line is used rather than the engine's API because kind itself drives the command
// line: so one way to run commands on a host carries kind, labctl and the learner alike.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/untrusted"
)

// Command is a command to be run on the engine's host.
type Command struct {
	Argv           []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Runner runs commands on the host that has the engine. It is safe for concurrent use. A command
// that ran and exited with another status than 0 gives an *ExitError.
type Runner interface {
	Run(context.Context, Command) error
}

// ExitError is a command that ran and failed.
type ExitError struct {
	Argv   []string
	Code   int
	Stderr string // the end of what it wrote, trimmed
}

func (e *ExitError) Error() string {
	text := fmt.Sprintf("%s: exit status %d", Name(e.Argv), e.Code)
	if e.Stderr != "" {
		text += ": " + e.Stderr
	}
	return clierr.Redact(text)
}

// Name is a command as messages name it: what it is, not all of its arguments. A docker run of kind's has forty.
func Name(argv []string) string {
	const most = 6
	if len(argv) <= most {
		return strings.Join(argv, " ")
	}
	return strings.Join(argv[:most], " ") + " …"
}

// tailSize is how much of the end of what a command says about its failure is kept.
const tailSize = 4096

// Local runs commands on this machine.
type Local struct {
	// Docker is the path of the docker command; it replaces a leading "docker" in Argv, so that a
	// changed PATH cannot lead back to labctl itself.
	Docker string
	Env    []string
}

// Run implements Runner. When ctx ends, or Stdout or Stderr fail, the command and what it has started get
// SIGKILL; on Linux the command also when labctl dies, however it dies.
func (l Local) Run(ctx context.Context, c Command) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	path := c.Argv[0]
	if path == "docker" && l.Docker != "" {
		path = l.Docker
	}
	cmd := exec.CommandContext(ctx, path, c.Argv[1:]...)
	defer dieWithParent(cmd)()
	ownGroup(cmd)
	cmd.Env = l.Env
	if c.Argv[0] != "docker" && filepath.IsAbs(l.Docker) {
		cmd.Env = append(slices.Clone(l.Env), "PATH="+filepath.Dir(l.Docker)+string(os.PathListSeparator)+lastOf(l.Env, "PATH"))
	}
	if cmd.Stdout = c.Stdout; c.Stdout != nil {
		cmd.Stdout = endsCommand{c.Stdout, end}
	}
	if err := feed(cmd, c.Stdin); err != nil {
		return err
	}
	tail := untrusted.NewTail(tailSize)
	cmd.Stderr = tail
	if c.Stderr != nil {
		cmd.Stderr = io.MultiWriter(tail, endsCommand{c.Stderr, end})
	}
	// A grandchild that keeps the pipes open must not keep us here.
	cmd.WaitDelay = 2 * time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		return &ExitError{Argv: c.Argv, Code: exit.ExitCode(), Stderr: tail.String()}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// lastOf returns the last value of a variable, as it counts.
func lastOf(env []string, name string) string {
	for _, kv := range slices.Backward(env) {
		if key, value, _ := strings.Cut(kv, "="); key == name {
			return value
		}
	}
	return ""
}

// feed gives a command its input. A reader that is no file is copied beside the command rather than
// by exec, whose Wait would last as long as the reader does, though the command reads no more.
func feed(cmd *exec.Cmd, in io.Reader) error {
	if _, file := in.(*os.File); file || in == nil {
		cmd.Stdin = in
		return nil
	}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(pipe, in)
		_ = pipe.Close()
	}()
	return nil
}
