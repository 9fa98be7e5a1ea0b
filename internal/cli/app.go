package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/terminal"
	"github.com/labctl/labctl/internal/untrusted"
	"github.com/labctl/labctl/internal/view"
	"github.com/labctl/labctl/provision/ec2"
)

// app is one run of labctl: its surroundings and its global flags, which each command's options hold.
type app struct {
	Process
	stdout, stderr *terminal.Stream
	// Out and Err take text for people; the process's own are for programs that labctl runs.
	Out, Err io.Writer

	lab    string // --lab
	owner  string // --owner
	output string // --output: text or json
	events string // --events: "", plain, ndjson
	yes    bool   // --yes

	progress   view.Lazy          // on stderr
	foreground command.Foreground // what labctl has started in its place: signals are for that
}

func newApp(p Process) *app {
	a := &app{Process: p, stdout: &terminal.Stream{To: p.Out}, stderr: &terminal.Stream{To: p.Err}}
	a.Err = view.NewText(a.stderr, func() int { return terminal.Columns(p.Err) })
	a.Out = view.NewText(a.stdout, func() int { return terminal.Columns(p.Out) })
	a.progress.Open = a.newView
	return a
}

// machine is this machine for labs that are worked on for this run. attempts is how often AWS is asked, 0 for as often as an
// act is worth.
func (a *app) machine(attempts int) *lab.Machine {
	return &lab.Machine{
		Version: a.Version,
		Environ: a.Environ, Owner: a.owner, Command: "labctl " + strings.Join(a.Args[1:], " "), Events: &a.progress, Attempts: attempts,
		Confirm: func(ctx context.Context, q ec2.Question) (bool, error) {
			// That of the price --yes may answer; what destroys a learner's work takes a word of its own.
			yes := a.yes && q.Kind != ec2.AskReplace || a.ask(ctx, q.Text)
			return yes, context.Cause(ctx)
		},
	}
}

// reopen opens the lab that a command works on: --lab, else the only one that is up.
func (a *app) reopen(ctx context.Context, detail lab.Detail) (*lab.Lab, error) {
	return a.machine(0).Reopen(ctx, a.lab, detail)
}

// exercise opens that lab, and finds a scenario of it.
func (a *app) exercise(ctx context.Context, name string) (*lab.Lab, *labfile.Scenario, error) {
	l, err := a.reopen(ctx, lab.Whole)
	if err != nil {
		return nil, nil, err
	}
	sc, err := l.Scenario(name)
	return l, sc, err
}

// print writes a result: as JSON where asked for, else by text. Progress has ended then.
func (a *app) print(result any, text func(*view.Printer)) error {
	a.progress.Close()
	if a.output != "json" {
		text(a.printer())
		return nil
	}
	enc := json.NewEncoder(untrusted.JSONWriter(a.stdout))
	enc.SetIndent("", "  ")
	if err := enc.Encode(result); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// printer lays results out on stdout, in colour only where that is a terminal.
func (a *app) printer() *view.Printer {
	return view.NewPrinter(a.stdout, terminal.Is(a.Process.Out) && a.colour()).Width(terminal.Columns(a.Process.Out))
}

// messages lays messages out on stderr.
func (a *app) messages() *view.Printer {
	return view.NewPrinter(a.stderr, a.colour()).Width(terminal.Columns(a.Process.Err))
}

// say prints a line for people on stderr, after what progress has to show.
func (a *app) say(format string, args ...any) {
	a.progress.Close()
	fmt.Fprintf(a.Err, format+"\n", args...)
}

// runIn runs a command in labctl's place, in an environment and on our own terminal. Its exit code is labctl's.
func (a *app) runIn(ctx context.Context, env []string, out *os.File, argv ...string) error {
	a.progress.Close()
	cmd := exec.Command(command.LookPath(argv[0], Process{Environ: env}.Getenv("PATH")), argv[1:]...)
	cmd.Args[0] = argv[0]
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, a.In, out, a.Process.Err
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	err := a.foreground.Run(cmd)
	var exit *exec.ExitError
	var ended command.EndedBy
	switch {
	case errors.As(err, &exit):
		return commandExit{clierr.Silent(clierr.Failed), command.Status(exit)}
	case errors.As(err, &ended):
		return commandExit{clierr.Silent(clierr.Interrupted), 128 + int(ended)}
	case err != nil:
		return clierr.New(clierr.Failed, "running %s: %w", argv[0], err)
	}
	return nil
}
