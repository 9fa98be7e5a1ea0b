// Package cli is labctl's command line: one file per command. It turns arguments into options of package lab, and its
// results into text, JSON and exit codes. It decides nothing about labs itself.
package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/labctl/labctl/internal/clierr"
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

// errInterrupted is the cause of a context that Ctrl-C or SIGTERM has ended.
var errInterrupted = &clierr.Error{Class: clierr.Interrupted, Err: errors.New("interrupted")}

// Main runs labctl and returns its exit code. By the name it is called by it is labctl itself, the
// docker that kind's child sees, or the kubectl or docker of a lab's environment.
func Main(p Process) int {
	if run := alias(p, filepath.Base(p.Args[0])); run != nil {
		return run(p)
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
			if a.foreground.Take(sig, isTerminal(p.In)) {
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
	a.progress.Close()
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
