package lab

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision/ec2"
	"github.com/labctl/labctl/scenarios"
)

// FileOptions are what a lab file is read with besides its bytes.
type FileOptions struct {
	Vars  map[string]string // by --var
	Name  string            // by --name: the lab's name; empty: the file's
	Local bool              // this machine's own Docker, whatever host the file declares
}

// Parse reads a lab file with the catalogue, the environment's variables and the .labvars beside it. With errors
// among the diagnostics there is no lab.
func (m *Machine) Parse(src labfile.Source, o FileOptions) (*labfile.Lab, hcl.Diagnostics, error) {
	opt := labfile.Options{Vars: o.Vars, Name: o.Name, Local: o.Local, Environ: m.Environ}
	var err error
	if opt.LabVars, err = labfile.LabVars(src); err != nil {
		return nil, nil, err
	}
	declared, diags := parse(src, opt)
	return declared, diags, nil
}

func parse(src labfile.Source, opt labfile.Options) (*labfile.Lab, hcl.Diagnostics) {
	opt.Catalogue = scenarios.Definitions()
	return labfile.Parse(src, opt)
}

// Open makes a lab of its parsed file, with the state that there is or a new one. Nothing is changed or written.
func (m *Machine) Open(ctx context.Context, declared *labfile.Lab, src labfile.Source, o FileOptions) (*Lab, error) {
	home, err := m.Home()
	if err != nil {
		return nil, err
	}
	owner, err := m.ownerOn(ctx, declared)
	if err != nil {
		return nil, offerLocal(err, declared)
	}
	files := home.Lab(declared.Name)
	st, err := files.Load()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		st = &state.State{Lab: declared.Name, Owner: owner}
	case err != nil:
		return nil, err
	default:
		if err := ensureSameTarget(st, declared); err != nil {
			return nil, err
		}
		if st.Owner != owner {
			return nil, foreignLab(declared.Name, st.Owner, owner)
		}
	}
	st.Local, st.Name = o.Local, o.Name
	m.addRemembered(declared, st)
	if err := remember(st, declared, src); err != nil {
		return nil, err
	}
	return m.assemble(ctx, declared, imagesOf(declared.Scenarios), files, st)
}

// ownerOn returns the owner of a lab that is to be: on AWS, where nobody says it, it is the caller.
func (m *Machine) ownerOn(ctx context.Context, declared *labfile.Lab) (string, error) {
	if declared.Host == nil {
		return m.owner()
	}
	client, err := ec2.NewClient(ctx, m.aws(declared.Host.Region))
	if err != nil {
		return "", err
	}
	if m.Owner != "" {
		if err := client.LookForCredentials(ctx); err != nil {
			return "", err
		}
		return m.owner()
	}
	caller, err := client.Caller(ctx)
	return caller.Owner(), err
}

// offerLocal adds to the news that there are no AWS credentials that none are needed.
func offerLocal(err error, declared *labfile.Lab) error {
	if !errors.Is(err, ec2.ErrNoCredentials) {
		return err
	}
	return clierr.New(clierr.Refused, "%w", err).
		WithNext("Log in with `aws configure` or `aws sso login`, or set AWS_PROFILE. Or `labctl up %s --local`: the same lab on this machine's own Docker, without an AWS account.", filepath.Base(declared.Path))
}

// ensureSameTarget refuses to move a lab that is up between this machine and a host of its own.
func ensureSameTarget(st *state.State, declared *labfile.Lab) error {
	switch {
	case len(st.Host) > 0 && declared.Host == nil:
		return clierr.New(clierr.Refused, "lab %s is up on a host of its own, and would now be put on this machine's Docker", declared.Name).
			WithNext("`labctl up` without --local goes on there. `labctl down %s` removes it; or --name NAME makes another lab, beside it.", declared.Name)
	case len(st.Host) == 0 && declared.Host != nil:
		return clierr.New(clierr.Refused, "lab %s is up on this machine's Docker, and would now be put on host.%s.%s", declared.Name, declared.Host.Type, declared.Host.Name).
			WithNext("`labctl up` with --local goes on here. `labctl down %s` removes it; or --name NAME makes another lab, beside it.", declared.Name)
	}
	return nil
}

func foreignLab(name, owner, caller string) error {
	return clierr.New(clierr.Refused, "lab %s belongs to %s, and you are %s", name, owner, caller).
		WithNext("Pass --owner %s if that is you, or --name for a lab of your own.", owner)
}

// absolute says where a lab file lay, whatever folder labctl is called from next.
func absolute(name string) string {
	if name == labfile.Stdin {
		return "standard input"
	}
	if abs, err := filepath.Abs(name); err == nil && !strings.HasPrefix(name, "embedded:") {
		return abs
	}
	return name
}

// ensureSameEngine refuses to work on a lab of this machine through another engine than the one that it was made
// on: there nothing of it exists, and what does would be forgotten. A state without an engine says nothing; `up`
// sets it. An engine that does not answer is no answer either: whoever asks it next says so.
//
// An engine with another id at the same address is one that was set up anew (Docker Desktop's reset, a fresh
// docker-in-docker): with the old one everything on it is gone, and `down` and `up` go on from there.
func (l *Lab) ensureSameEngine(ctx context.Context) error {
	if at := differs(ctx, l.engine, l.state); l.remote == nil && at != "" {
		return otherEngine(clierr.Refused, l.state, at)
	}
	return nil
}

// differs returns where docker's commands go when that is not the engine of the lab; "" when it is, or nobody knows.
func differs(ctx context.Context, engine *docker.Engine, st *state.State) string {
	if len(st.Host) > 0 || st.Engine.ID == "" {
		return ""
	}
	info, err := engine.Info(ctx)
	if err != nil || info.ID == st.Engine.ID {
		return ""
	}
	at := endpoint(ctx, engine, info)
	if at == st.Engine.Endpoint {
		return ""
	}
	return at
}

// otherEngine says that a lab is on another engine than the one that docker speaks to.
func otherEngine(class clierr.Class, st *state.State, at string) error {
	address, _, _ := strings.Cut(st.Engine.Endpoint, " on ")
	return clierr.New(class, "lab %s was made on the Docker engine at %s, and docker speaks to another one now, at %s; nothing was changed", st.Lab, st.Engine.Endpoint, at).
		WithNext("Set DOCKER_HOST=%s or the docker context that leads there, then run the same command again.", address)
}

// noteEngine keeps on which engine the lab is made, before the first act.
func (l *Lab) noteEngine(ctx context.Context) {
	if l.remote != nil {
		return
	}
	info, err := l.engine.Info(ctx)
	if err != nil || info.ID == l.state.Engine.ID {
		return // an engine that does not answer is told of by what comes next
	}
	l.state.Engine = state.EngineState{ID: info.ID, Endpoint: endpoint(ctx, l.engine, info)}
}

// endpoint is where docker's commands go. A path or a loopback address means something else on every machine, so
// the name of the engine's machine goes with it.
func endpoint(ctx context.Context, engine *docker.Engine, info docker.Info) string {
	at, err := engine.Endpoint(ctx)
	if err != nil {
		at = "an unknown address"
	}
	return at + " on " + info.Name
}
