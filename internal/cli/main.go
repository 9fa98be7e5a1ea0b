// Package cli is labctl's command line: one file per command. It turns arguments into calls of the
// packages below it, and their results into text, JSON and exit codes. It decides nothing about
// labs itself.
package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision/kind"
)

// Process is what the operating system gives a program. Nothing else in labctl reads it.
type Process struct {
	Args    []string
	Environ []string
	In      *os.File
	Out     *os.File
	Err     *os.File
	Version string
}

// getenv returns the last value of a variable, "" when it is not set.
func (p Process) getenv(name string) string {
	for i := len(p.Environ) - 1; i >= 0; i-- {
		if key, value, ok := strings.Cut(p.Environ[i], "="); ok && key == name {
			return value
		}
	}
	return ""
}

// errInterrupted is the cause of a context that Ctrl-C or SIGTERM has ended.
var errInterrupted = &clierr.Error{Class: clierr.Interrupted, Err: errors.New("interrupted")}

// Main runs labctl and returns its exit code. By the name it is called by it is labctl itself, the
// docker that kind's child sees, or the kubectl of a lab's shell.
func Main(p Process) int {
	switch name := filepath.Base(p.Args[0]); {
	case name == "docker" && p.getenv(kind.DockerShimEnv) != "":
		return dockerShim(p)
	case name == "docker" && p.getenv(relayEnv) != "":
		return dockerOnHost(p)
	case name == "kubectl" && p.getenv(kubectlNodeEnv) != "":
		return kubectlInNode(p)
	}
	if len(p.Args) > 1 && p.Args[1] == kind.ChildCommand {
		if err := kind.RunChild(p.In, p.Out); err != nil {
			return 1
		}
		return 0
	}
	outliveReaders()
	silenceLibraries()
	a := newApp(p)
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as below nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		for sig := range signals {
			if a.child.take(sig, isTerminal(p.In)) {
				continue
			}
			// A second Ctrl-C ends the process at once.
			signal.Stop(signals)
			cancel(errInterrupted)
			return
		}
	}()
	return run(ctx, a, p.Args[1:])
}

func run(ctx context.Context, a *app, args []string) int {
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if errors.Is(err, errServed) {
		return 0
	}
	if ctx.Err() != nil && context.Cause(ctx) == errInterrupted {
		err = errInterrupted
	}
	code := a.report(err)
	if failure := a.stdout.failure(); failure != nil && !errors.Is(err, failure) {
		failure = clierr.New(clierr.Failed, "writing the result: %w", failure)
		a.report(failure)
		code = exitCode(errors.Join(err, failure))
	}
	return code
}

// dockerShim is labctl as `docker`.
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

// app is one run of labctl: its surroundings and its global flags.
type app struct {
	Process
	now func() time.Time

	stdout, stderr *stream
	// Err takes text for people, as out does; the process's own is for programs that labctl runs.
	Err io.Writer

	lab    string // --lab
	owner  string // --owner
	output string // --output: text or json
	events string // --events: "", plain, ndjson
	yes    bool   // --yes
	tries  int    // how often a call to AWS is made when it fails; 0: as often as an act is worth
	debug  string // $LABCTL_DEBUG_REQUESTS: a file that takes one line per request to the API

	warnings []labfile.Problem // of the lab file that was read last
	display  display           // the progress that is on stderr
	child    child             // what labctl has started in its place: signals are for that
}

func newApp(p Process) *app {
	a := &app{Process: p, now: time.Now, debug: p.getenv("LABCTL_DEBUG_REQUESTS")}
	a.connect()
	return a
}
