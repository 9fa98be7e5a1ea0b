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
	"slices"
	"strings"
	"syscall"

	"github.com/labctl/labctl/internal/alias"
	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/terminal"
	"github.com/labctl/labctl/provision/kind"
	"github.com/spf13/cobra"
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

// Commands returns the tree of labctl's commands, for what lists them.
func Commands(p Process) *cobra.Command { return newApp(p).root() }

// root builds the command tree.
func (a *app) root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "labctl",
		Short: "Kubernetes labs that break on purpose: declared, provisioned, verified, torn down",
		Long: `labctl provisions the lab that a file declares: a kind cluster, and on it failures that are
there on purpose. It proves through the API that each is really there, judges your repair, and
takes everything away again.

  labctl up day10.hcl --local     a cluster on this machine's Docker, with its failures
  labctl shell                    a shell in which kubectl speaks to it
  labctl check imagepull          is it repaired?
  labctl down                     all of it is gone`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if !slices.Contains([]string{"text", "json"}, a.output) {
				return clierr.New(clierr.Usage, "--output %q is neither text nor json", a.output)
			}
			if !slices.Contains([]string{"", "plain", "ndjson"}, a.events) {
				return clierr.New(clierr.Usage, "--events %q is neither plain nor ndjson", a.events)
			}
			return nil
		},
		Args: known,
		RunE: func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	cmd.SetIn(a.In)
	cmd.SetOut(a.stdout)
	cmd.SetErr(a.Err)
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return clierr.New(clierr.Usage, "%w", err).WithNext("`%s --help` lists the flags.", cmd.CommandPath())
	})
	flags := cmd.PersistentFlags()
	flags.StringVar(&a.lab, "lab", "", "the lab to work on (default: the only one that is up)")
	flags.StringVar(&a.owner, "owner", a.Getenv("LABCTL_OWNER"), "whose lab it is (default: $LABCTL_OWNER, else your user name; on AWS your ARN)")
	flags.StringVarP(&a.output, "output", "o", "text", "form of the result: text or json")
	flags.StringVar(&a.events, "events", "", "form of the progress on stderr: plain or ndjson (default: what fits the terminal)")
	flags.BoolVarP(&a.yes, "yes", "y", false, "answer every question with yes")
	_ = cmd.RegisterFlagCompletionFunc("lab", a.completeLabs)
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("events", cobra.FixedCompletions([]string{"plain", "ndjson"}, cobra.ShellCompDirectiveNoFileComp))

	cmd.AddGroup(&cobra.Group{ID: "lab", Title: "The lab:"}, &cobra.Group{ID: "exercise", Title: "The exercises:"}, &cobra.Group{ID: "inside", Title: "Inside the lab:"})
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			c.DisableFlagsInUseLine = true
			if c.ValidArgsFunction == nil && !strings.Contains(c.Use, "-- ") { // else the shell offers files, as after `--` it should
				c.ValidArgsFunction = cobra.NoFileCompletions
			}
			cmd.AddCommand(c)
		}
	}
	add("lab",
		newUpCommand(a, runUp),
		newDownCommand(a, runDown),
		newStatusCommand(a, runStatus),
		newVerifyCommand(a, runVerify),
		newPlanCommand(a, runPlan),
		newValidateCommand(a, runValidate),
		newStopCommand(a, runStop),
		newStartCommand(a, runStart),
		newExtendCommand(a, runExtend),
		newGCCommand(a, runGC),
	)
	add("exercise",
		newScenarioCommand(a, runScenario),
		newTaskCommand(a, runTask),
		newCheckCommand(a, runCheck),
		newAnswerCommand(a, runAnswer),
		newHintCommand(a, runHint),
		newSolveCommand(a, runSolve),
		newResetCommand(a, runReset),
	)
	add("inside",
		newShellCommand(a, runShell),
		newSSHCommand(a, runSSH),
		newKubectlCommand(a, runKubectl),
		newKubeconfigCommand(a, runKubeconfig),
	)
	cmd.AddCommand(newVersionCommand(a))
	a.addHelp(cmd)
	return cmd
}

// exactly is cobra's argument check with labctl's own class of error.
func exactly(n int, what string) cobra.PositionalArgs {
	return between(n, n, what)
}

func between(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return clierr.New(clierr.Usage, "`%s` takes %s, got %s", cmd.CommandPath(), what, count.Of(len(args), "argument")).
				WithNext("`%s --help` has an example.", cmd.CommandPath())
		}
		return nil
	}
}
