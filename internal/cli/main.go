// Package cli is labctl's command line: one file per command. It turns arguments into options of package lab, and its
// results into text, JSON and exit codes. It decides nothing about labs itself.
package cli

import (
	"context"
	"errors"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/labctl/labctl/internal/alias"
	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/terminal"
	"github.com/labctl/labctl/provision/kind"
)

// Process is what the operating system gives a program. Nothing else in labctl reads it.
type Process = command.Process

// errInterrupted is the cause of a context that Ctrl-C or SIGTERM has ended.
var errInterrupted = &clierr.Error{Class: clierr.Interrupted, Err: errors.New("interrupted")}

// Main runs labctl and returns its exit code. By the name it is called by it is labctl itself, the
// docker that kind's child sees, or the kubectl or docker of a lab's environment.
func Main(p Process) int {
	if run := alias.Named(filepath.Base(p.Args[0]), p); run != nil {
		return run(p)
	}
	if len(p.Args) > 1 && p.Args[1] == kind.ChildCommand {
		if err := kind.RunChild(p.In, p.Out); err != nil {
			return 1
		}
		return 0
	}
	terminal.OutliveReaders()
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
			if a.foreground.Take(sig, terminal.Is(p.In)) {
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
	if failure := a.stdout.Failure(); failure != nil && !errors.Is(err, failure) {
		failure = clierr.New(clierr.Failed, "writing the result: %w", failure)
		a.report(failure)
		code = exitCode(errors.Join(err, failure))
	}
	return code
}

// silenceLibraries keeps what libraries log by themselves off the terminal. It says nothing that is not
// returned as an error too, it may quote what a server sent, and it would be written into the display.
func silenceLibraries() {
	log.SetOutput(io.Discard) // net/http: what a server sends unasked
	kube.SilenceLogs()
}
