package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/fault"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

// fileFlags are the flags of the commands that take a lab file.
type fileFlags struct {
	local bool
	name  string
	vars  map[string]string
}

func (f *fileFlags) on(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.local, "local", false, "use this machine's own Docker instead of the declared host")
	cmd.Flags().StringVar(&f.name, "name", "", "run the file as a lab of this name, beside others of the same file")
	cmd.Flags().StringToStringVar(&f.vars, "var", nil, "set a variable of the file: --var region=eu-central-1")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		// `--name "$NAME"` with NAME not set must not be taken for the lab of the file's own name.
		if f.name == "" && cmd.Flags().Changed("name") {
			return fault.New(fault.Usage, "--name is empty: the name of a lab has at least one character")
		}
		return nil
	}
}

func (a *app) upCommand() *cobra.Command {
	var flags fileFlags
	var recreate bool
	cmd := &cobra.Command{
		Use:   "up FILE [--local] [--name NAME]",
		Short: "Provision a lab, apply its scenarios, prove that each is as declared",
		Long: `Up converges a lab to its file: host, cluster, mirror, scenarios. What is there already is left
alone, what is missing is made, what was begun is finished. A scenario that you have repaired stays
repaired; only "labctl reset" breaks it again.

FILE is a path, or the name of one of labctl's own labs (day10.hcl). A file of that name in the
current folder wins.`,
		Example:           "  labctl up day10.hcl --local\n  labctl up day10.hcl --local --name second",
		Args:              exactly(1, "one lab file"),
		ValidArgsFunction: a.completeFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.up(cmd.Context(), args[0], flags, recreate)
		},
	}
	flags.on(cmd)
	cmd.Flags().BoolVar(&recreate, "recreate", false, "replace a cluster that cannot be repaired; what was done in it is lost")
	return cmd
}

// prepare reads a file and opens its lab with the state that there is, or a new one.
func (a *app) prepare(ctx context.Context, name string, flags fileFlags) (*session, error) {
	src, err := a.find(name)
	if err != nil {
		return nil, err
	}
	lab, err := a.parse(src, parseOptions{vars: flags.vars, name: flags.name, local: flags.local})
	if err != nil {
		return nil, err
	}
	a.sayWhich(lab.Path, name)
	home, err := a.home()
	if err != nil {
		return nil, err
	}
	if err := refuseRemote(lab); err != nil {
		return nil, err
	}
	owner, err := a.whoseOn(ctx, lab)
	if err != nil {
		return nil, err
	}
	files := home.Lab(lab.Name)
	st, err := files.Load()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		st = &state.State{Lab: lab.Name, Owner: owner}
	case err != nil:
		return nil, err
	case st.Owner != owner:
		return nil, foreignLab(lab.Name, st.Owner, owner)
	}
	st.Title, st.File, st.FileName, st.FileBytes = lab.Title, src.Name, src.Name, string(src.Bytes)
	if abs, err := filepath.Abs(src.Name); err == nil && !strings.HasPrefix(src.Name, "embedded:") {
		st.File = abs
	}
	st.Vars, st.Local, st.Name = flags.vars, flags.local, flags.name
	if err := addExtra(lab, st.Extra); err != nil {
		return nil, err
	}
	return a.open(ctx, lab, files, st)
}

func (a *app) up(ctx context.Context, name string, flags fileFlags, recreate bool) error {
	began := a.now()
	s, err := a.prepare(ctx, name, flags)
	if err != nil {
		return err
	}
	release, err := s.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	s.cluster.Recreate = recreate
	if err := s.apply(ctx, nil); err != nil {
		return err
	}
	return s.summary(ctx, a.now().Sub(began))
}

// refuseRemote: hosts other than this machine's Docker are declared and validated, no more.
func refuseRemote(lab *labfile.Lab) error {
	if lab.Host == nil {
		return nil
	}
	return fault.New(fault.Refused, "host.%s.%s: this labctl does not provision %s hosts yet", lab.Host.Type, lab.Host.Name, strings.ToUpper(lab.Host.Type)).
		WithNext("`labctl up %s --local` puts the same lab on this machine's own Docker.", filepath.Base(lab.Path))
}

// apply converges the lab and, when that is cut short, says what exists and how to go on. Without
// scenarios given it is all of the lab's.
func (s *session) apply(ctx context.Context, only []*labfile.Scenario) error {
	graph, err := s.graph(only...)
	if err != nil {
		return err
	}
	v := s.app.view()
	err = graph.Apply(ctx, v)
	v.Close()
	if err == nil {
		return s.files.Save(s.state)
	}
	if class := fault.ClassOf(err); class != fault.Refused && class != fault.Usage {
		s.sayWhatExists(ctx)
	}
	return err
}

// sayWhatExists is printed after a failure or an interruption: nothing is taken away then.
func (s *session) sayWhatExists(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	containers, err := s.engine.Containers(ctx, s.cluster.Marks.Labels()...)
	switch {
	case err != nil:
		fmt.Fprintf(s.app.Err, "What exists cannot be told now: %s\n", err)
	case len(containers) == 0:
		fmt.Fprintln(s.app.Err, "Nothing of the lab exists.")
		return
	default:
		var names []string
		for _, c := range containers {
			names = append(names, c.Name+" ("+c.State+")")
		}
		fmt.Fprintf(s.app.Err, "What exists of lab %s: %s\n", s.lab.Name, strings.Join(names, ", "))
	}
	fmt.Fprintf(s.app.Err, "The same command again goes on from here; `labctl down %s` takes it all away.\n", s.lab.Name)
}

// summary verifies what up has made and prints it.
func (s *session) summary(ctx context.Context, took time.Duration) error {
	result, err := s.verify(ctx)
	if err != nil {
		return err
	}
	result.Seconds = took.Seconds()
	perr := s.app.print(result, func() {
		s.app.printVerify(result)
		fmt.Fprintf(s.app.out(), "\nLab %s is up after %s.\n", s.lab.Name, took.Round(100*time.Millisecond))
		fmt.Fprintln(s.app.out(), "Next: `labctl shell` to work in it, `labctl check NAME` when you think it is repaired, `labctl down` to end it.")
	})
	// A scenario that the learner is working on does not make up fail: it was left alone on purpose.
	for _, row := range result.Resources {
		if row.State == provision.Partial || row.State == provision.Absent {
			return silent(fault.Failed)
		}
	}
	return perr
}
