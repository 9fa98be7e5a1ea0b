package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/provision/ec2"
)

// fileFlags are the flags of the commands that take a lab file.
type fileFlags struct {
	local bool
	name  string
	vars  varFlags
}

func (f *fileFlags) on(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.local, "local", false, "use this machine's own Docker instead of the declared host")
	cmd.Flags().StringVar(&f.name, "name", "", "run the file as a lab of this name, beside others of the same file")
	f.vars = varFlags{}
	cmd.Flags().Var(f.vars, "var", "set a variable of the file: --var region=eu-central-1 (may be given several times)")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		// `--name "$NAME"` with NAME not set must not be taken for the lab of the file's own name.
		if f.name == "" && cmd.Flags().Changed("name") {
			return clierr.New(clierr.Usage, "--name is empty: the name of a lab has at least one character")
		}
		return nil
	}
}

func (a *app) upCommand() *cobra.Command {
	var flags fileFlags
	var may upFlags
	cmd := &cobra.Command{
		Use:   "up FILE [--local] [--name NAME]",
		Short: "Provision a lab, apply its scenarios, prove that each is as declared",
		Long: `Up converges a lab to its file: host, cluster, mirror, scenarios. What is there already is left
alone, what is missing is made, what was begun is finished. A scenario that you have repaired stays
repaired; only "labctl reset" breaks it again.

FILE is a path, or the name of one of labctl's own labs (day10.hcl). A file of that name in the
current folder wins. "-" is a lab on standard input, with the current folder for its own.

A lab whose file declares a host on AWS is put there, with your AWS credentials, and costs what is
shown first; --local puts it on this machine's own Docker instead. The host ends itself when the
lab's ttl is over.`,
		Example:           "  labctl up day10.hcl --local\n  labctl up day10.hcl --local --name second\n  labctl up day10.hcl --var region=eu-central-1",
		Args:              exactly(1, "one lab file"),
		ValidArgsFunction: a.completeFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.up(cmd.Context(), args[0], flags, may)
		},
	}
	flags.on(cmd)
	cmd.Flags().BoolVar(&may.recreate, "recreate", false, "replace a cluster or host that cannot be repaired; what was done in it is lost")
	cmd.Flags().BoolVar(&may.keepFailed, "keep-failed", false, "keep a host that never became ready, to be looked at; it costs until its time is up")
	return cmd
}

// upFlags are what up may do, besides what the file says.
type upFlags struct{ recreate, keepFailed bool }

// prepare reads a file and opens its lab with the state that there is, or a new one.
func (a *app) prepare(ctx context.Context, name string, flags fileFlags) (*session, error) {
	src, err := a.find(ctx, name)
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
	owner, err := a.whoseOn(ctx, lab)
	if err != nil {
		return nil, offerLocal(err, lab)
	}
	files := home.Lab(lab.Name)
	st, err := files.Load()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		st = &state.State{Lab: lab.Name, Owner: owner}
	case err != nil:
		return nil, err
	default:
		if err := sameHome(st, lab); err != nil {
			return nil, err
		}
		if st.Owner != owner {
			return nil, foreignLab(lab.Name, st.Owner, owner)
		}
	}
	st.Local, st.Name = flags.local, flags.name
	if err := a.addRemembered(lab, st); err != nil {
		return nil, err
	}
	if err := remember(st, lab, src); err != nil {
		return nil, err
	}
	return a.open(ctx, lab, files, st)
}

// offerLocal adds to the news that there are no AWS credentials that none are needed.
func offerLocal(err error, lab *labfile.Lab) error {
	if !errors.Is(err, ec2.ErrNoCredentials) {
		return err
	}
	return clierr.New(clierr.Refused, "%w", err).
		WithNext("Log in with `aws configure` or `aws sso login`, or set AWS_PROFILE. Or `labctl up %s --local`: the same lab on this machine's own Docker, without an AWS account.", filepath.Base(lab.Path))
}

// sameHome refuses to move a lab that is up between this machine and a host of its own.
func sameHome(st *state.State, lab *labfile.Lab) error {
	switch {
	case len(st.Host) > 0 && lab.Host == nil:
		return clierr.New(clierr.Refused, "lab %s is up on a host of its own, and would now be put on this machine's Docker", lab.Name).
			WithNext("`labctl up` without --local goes on there. `labctl down %s` removes it; or --name NAME makes another lab, beside it.", lab.Name)
	case len(st.Host) == 0 && lab.Host != nil:
		return clierr.New(clierr.Refused, "lab %s is up on this machine's Docker, and would now be put on host.%s.%s", lab.Name, lab.Host.Type, lab.Host.Name).
			WithNext("`labctl up` with --local goes on here. `labctl down %s` removes it; or --name NAME makes another lab, beside it.", lab.Name)
	}
	return nil
}

func (a *app) up(ctx context.Context, name string, flags fileFlags, may upFlags) error {
	began := a.now()
	s, err := a.prepare(ctx, name, flags)
	if err != nil {
		return err
	}
	if err := a.sayForeign(s.lab); err != nil {
		return err
	}
	release, err := s.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	s.noteEngine(ctx)
	s.cluster.Recreate = may.recreate
	if s.remote != nil {
		s.remote.recreate, s.remote.KeepFailed = may.recreate, may.keepFailed
	}
	result, err := s.converge(ctx)
	if result == nil {
		return err
	}
	return errors.Join(err, s.summary(result, a.now().Sub(began)))
}

// converge applies the lab and looks at it. On a busy machine something may be unready again by then, by a
// probe that was answered late: that is applied, which waits for it, and looked at once more. When some of it
// failed, the rest is there and is looked at all the same; without a result, nothing was, or it was
// interrupted.
func (s *session) converge(ctx context.Context) (*verification, error) {
	s.state.Unfinished = true // on disk with what is made first
	result, err := s.convergeTwice(ctx)
	return result, s.rememberEnd(result, err)
}

// rememberEnd saves whether an `up` that has ended so came through, and returns err. One that was refused before its
// first act was not begun.
func (s *session) rememberEnd(result *verification, err error) error {
	class := clierr.ClassOf(err)
	switch {
	case err == nil && (result.unfinished() == nil || clierr.ClassOf(result.unfinished()) == clierr.Unknown):
		return nil // apply has saved that
	case result == nil && (class == clierr.Refused || class == clierr.Usage) && !s.costs():
		return err
	}
	s.state.Unfinished = true
	if _, lerr := s.files.Load(); lerr == nil { // else there is nothing that status would show
		err = cmp.Or(err, s.files.Save(s.state))
	}
	return err
}

// costs tells that something of the lab is on AWS.
func (s *session) costs() bool { return s.remote != nil && s.remote.State.GroupID != "" }

func (s *session) convergeTwice(ctx context.Context) (*verification, error) {
	const times = 2
	var result *verification
	for range times {
		began, err := s.apply(ctx, nil)
		if err != nil && (!began || ctx.Err() != nil) {
			return nil, err
		}
		var verr error
		if result, verr = s.verify(ctx); err != nil || verr != nil || result.unfinished() == nil {
			return result, cmp.Or(err, verr)
		}
	}
	return result, nil
}

// apply converges the lab, or the scenarios given, and what they stand on. began tells whether anything may
// have been done. When it is cut short, what exists is said, and how to go on.
func (s *session) apply(ctx context.Context, only []*labfile.Scenario) (began bool, err error) {
	graph, err := s.graph(only...)
	if err != nil {
		return false, err
	}
	v := s.app.view()
	plan, err := graph.Plan(ctx)
	if err == nil {
		// Before the first act: should this be its last moment, everybody knows what the lab was to be.
		err = s.files.Save(s.state)
	}
	if err == nil {
		acts := &actSink{Sink: v}
		if began, err = true, plan.Apply(ctx, acts); acts.any.Load() {
			err = afterActs(err)
		}
	}
	v.Close()
	if err != nil {
		err = offerLocal(err, s.lab)
		// What is on a host is preflighted when the host is there, and costs. What is here and was not
		// interrupted is about to be looked at.
		class := clierr.ClassOf(err)
		refused := class == clierr.Refused || class == clierr.Usage
		if s.costs() || ctx.Err() != nil || !refused && (s.remote != nil || !began) {
			s.sayWhatExists(ctx)
		}
	}
	if !began {
		return false, err
	}
	if err == nil && s.remote != nil && only == nil {
		s.giveKubeconfig(ctx)
	}
	if err == nil && only == nil {
		s.state.Unfinished = false
	}
	return true, cmp.Or(err, s.files.Save(s.state))
}

// actSink notes whether anything has been done.
type actSink struct {
	event.Sink
	any atomic.Bool
}

func (s *actSink) Emit(e event.Event) {
	if f, ok := e.(event.Finished); ok && f.Result == event.Done {
		s.any.Store(true)
	}
	s.Sink.Emit(e)
}

// afterActs makes failures of the refusals among errors: exit code 3 says that nothing was touched, and somebody may
// conclude that there is nothing to be taken down.
func afterActs(err error) error {
	refused := func(e error) bool { return clierr.ClassOf(e) == clierr.Refused }
	if err == nil || !slices.ContainsFunc(leaves(err), refused) {
		return err
	}
	var all []error
	for _, e := range leaves(err) {
		if refused(e) {
			e = &clierr.Error{Class: clierr.Failed, Err: e, Next: clierr.NextOf(e)}
		}
		all = append(all, e)
	}
	return errors.Join(all...)
}

// sayWhatExists is printed after a failure or an interruption: nothing is taken away then.
func (s *session) sayWhatExists(ctx context.Context) {
	if s.remote != nil {
		s.sayWhatCosts(context.WithoutCancel(ctx))
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	containers, err := s.engine.Containers(ctx, s.cluster.Ownership.Labels()...)
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

// summary prints what the look after an apply has shown.
func (s *session) summary(result *verification, took time.Duration) error {
	result.Seconds = took.Seconds()
	err := result.unfinished()
	return cmp.Or(err, s.app.print(result, func() {
		s.app.printVerify(result, false)
		if err != nil {
			fmt.Fprintf(s.app.out(), "\nLab %s is not as declared after %s.\n", s.lab.Name, count.Elapsed(took))
			fmt.Fprintf(s.app.out(), "Next: the same command again goes on from here; `labctl down %s` takes it all away.\n", s.lab.Name)
			return
		}
		fmt.Fprintf(s.app.out(), "\nLab %s is up after %s.\n", s.lab.Name, count.Elapsed(took))
		fmt.Fprintln(s.app.out(), "Next: `labctl shell` to work in it, `labctl check NAME` when you think it is repaired, `labctl down` to end it.")
	}))
}

// unfinished gives up its exit code: nil when nothing of the lab is missing. A scenario that the learner is
// working on was left alone on purpose and is not missing.
func (v *verification) unfinished() error {
	var unknown error
	for _, row := range v.Resources {
		switch {
		case row.State == provision.Partial || row.State == provision.Absent:
			return silent(clierr.Failed)
		case row.Verdict == provision.CannotTell:
			unknown = silent(clierr.Unknown)
		}
	}
	return unknown
}
