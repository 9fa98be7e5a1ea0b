package lab

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/provision/kind"
	"github.com/labctl/labctl/provision/local"
	"github.com/labctl/labctl/provision/mirror"
	"github.com/labctl/labctl/scenarios"
)

// Lab is one lab with its resources, ready to be observed or changed. Machine.Open and Machine.Reopen return it.
// Its methods are for one goroutine at a time.
type Lab struct {
	// Declared is what the lab file says, as the lab was opened: without scenarios where it was reopened as an Outline.
	Declared *labfile.Lab

	m       *Machine
	files   *state.Lab
	state   *state.State
	engine  *docker.Engine
	remote  *remoteHost // the lab's host, when that is not this machine
	host    *local.Engine
	cluster *kind.Cluster
	mirror  *mirror.Mirror
}

// assemble makes the resources of a lab whose mirror serves images. st is its state, new or loaded. One of this machine is
// refused where docker speaks to another engine than the lab's.
func (m *Machine) assemble(ctx context.Context, declared *labfile.Lab, images []string, files *state.Lab, st *state.State) (*Lab, error) {
	l, err := m.compose(ctx, declared, images, files, st)
	if err != nil {
		return nil, err
	}
	return l, l.ensureSameEngine(ctx)
}

// compose is assemble that asks nobody.
func (m *Machine) compose(ctx context.Context, declared *labfile.Lab, images []string, files *state.Lab, st *state.State) (*Lab, error) {
	home, err := m.Home()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding labctl's own executable: %w", err)
	}
	engine, dockerPath := m.Docker()
	if engine.Journal, err = files.OpenJournal(); err != nil {
		return nil, err
	}
	owned := provision.Ownership{Lab: declared.Name, Owner: st.Owner}
	l := &Lab{m: m, Declared: declared, files: files, state: st, engine: engine}
	l.host = &local.Engine{Docker: engine, Ownership: owned, Nodes: len(declared.Cluster.Nodes)}
	if declared.Host != nil {
		if l.remote, err = m.newRemoteHost(ctx, declared, files, st, engine.Journal); err != nil {
			return nil, err
		}
		engine.Runner, l.host.Host, l.host.Name = l.remote, l.remote, declared.Host.Name
	}
	l.cluster = &kind.Cluster{
		Spec: declared.Cluster, Ownership: owned, Engine: engine, Host: l.host, CheckRoom: l.host.CheckRoom,
		Home: home.Dir, Files: files, State: st, Binary: self, Docker: dockerPath, Env: m.Environ,
		OnRequest: m.onRequest(), NoProxy: []string{mirror.Container(declared.Name)},
	}
	l.cluster.Taken = l.takenAway
	if l.remote != nil {
		l.cluster.Dial, l.cluster.Env = l.remote.DialContext, withoutProxies(m.Environ)
	}
	if len(images) > 0 {
		l.mirror = &mirror.Mirror{Ownership: owned, Images: images, Engine: engine, Cluster: l.cluster, Network: kind.Network}
	}
	return l, nil
}

// Name returns the lab's name.
func (l *Lab) Name() string { return l.Declared.Name }

// State returns what this machine remembers of the lab. It is not to be changed.
func (l *Lab) State() *state.State { return l.state }

// Files returns the lab's directory.
func (l *Lab) Files() *state.Lab { return l.files }

// Remote reports whether the lab is on a host of its own, not on this machine's Docker.
func (l *Lab) Remote() bool { return l.remote != nil }

// Close ends the connection to the lab's host, if there is one.
func (l *Lab) Close() {
	if l.remote != nil {
		l.remote.Close()
	}
}

// onRequest returns what writes every API request to the file that $LABCTL_DEBUG_REQUESTS names.
func (m *Machine) onRequest() func(*http.Request) {
	kill, debug := m.killRequest(), m.Getenv("LABCTL_DEBUG_REQUESTS")
	if debug == "" {
		return kill
	}
	return func(r *http.Request) {
		if kill != nil {
			kill(r)
		}
		f, err := os.OpenFile(debug, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return
		}
		defer f.Close()
		fmt.Fprintln(f, r.Method, r.URL.Path)
	}
}

// imagesOf returns the images that the scenarios name, each once, sorted.
func imagesOf(all []*labfile.Scenario) []string {
	var images []string
	for _, s := range all {
		images = append(images, s.Images()...)
	}
	slices.Sort(images)
	return slices.Compact(images)
}

// graph is the whole lab, or the infrastructure and only the scenarios given.
func (l *Lab) graph(only ...*labfile.Scenario) (*provision.Graph, error) {
	return l.graphThat(false, nil, only...)
}

// graphThat is graph; where it is observed, scenarios run their probes with probe. One that is observed once, and no more,
// has them share that look.
func (l *Lab) graphThat(probe bool, shared *kube.Shared, only ...*labfile.Scenario) (*provision.Graph, error) {
	if only == nil {
		only = l.Declared.Scenarios
	}
	all := []provision.Resource{l.host, l.cluster}
	if l.remote != nil {
		all = append(all, l.remote)
	}
	if l.mirror != nil {
		all = append(all, l.mirror)
	}
	for _, sc := range only {
		r := l.resource(sc)
		r.Probe, r.Shared = probe, shared
		all = append(all, r)
	}
	return provision.NewGraph(all...)
}

// resource returns the resource of one of the lab's scenarios.
func (l *Lab) resource(sc *labfile.Scenario) *scenarios.Resource {
	needs := []provision.Need{{Resource: l.cluster, Milestone: provision.MilestoneAPI}}
	if len(sc.Needs) > 0 { // what the cluster can do is seen when all of it is there
		needs[0].Milestone = ""
	}
	for _, image := range imagesOf([]*labfile.Scenario{sc}) {
		// Its own images alone: one that cannot be had stops only the scenario that needs it.
		needs = append(needs, provision.Need{Resource: l.mirror, Milestone: mirror.Milestone(image), Lasting: true})
	}
	return scenarios.NewResource(l.Name(), sc, l.cluster, needs)
}

// interruptedOps says what a lock has to wait for of what a killed labctl left under way on the engine.
type interruptedOps int

const (
	// awaitAll: nothing of it can take effect any more, and what was being stopped has stopped.
	awaitAll interruptedOps = iota
	// awaitMaking: what was being stopped may go on, as what is about to stop is about to go.
	awaitMaking
	// awaitNone: nothing is asked of the engine.
	awaitNone
)

// awaitEngine bounds the wait for what was left under way on a host, which may not be reached now.
const awaitEngine = 20 * time.Second

// Lock takes the lab's lock for what changes something, and waits until nothing that a killed labctl left under
// way can come between. It refuses (clierr.Refused) while another labctl has the lock, and says who that is.
func (l *Lab) Lock(ctx context.Context) (release func(), err error) { return l.lock(ctx, awaitAll) }

func (l *Lab) lock(ctx context.Context, ops interruptedOps) (release func(), err error) {
	lock, err := l.files.Lock(ctx, l.m.holder(l.state.Owner))
	if err != nil {
		return nil, err
	}
	l.cluster.Lock = lock
	if err = l.reread(); err == nil && ops != awaitNone {
		err = l.awaitInterruptedOps(ctx, ops)
	}
	if err != nil {
		lock.Release()
		return nil, err
	}
	return lock.Release, nil
}

// reread takes over what the lock's last holder has written since the state was read.
func (l *Lab) reread() error {
	st, err := l.files.Load()
	known := err == nil && st.Owner == l.state.Owner
	if known {
		l.state.Cluster, l.state.Engine = st.Cluster, st.Engine
	}
	if l.remote == nil {
		return nil
	}
	if known {
		host, err := hostOf(st)
		if err != nil {
			return err
		}
		l.state.Host, *l.remote.State = st.Host, *host
	}
	return l.remote.keepKeys(l.files)
}

// awaitInterruptedOps waits for what a killed labctl left under way on the engine. That of a host which cannot be
// reached now, and may be on its way, does not hold anything up.
func (l *Lab) awaitInterruptedOps(ctx context.Context, ops interruptedOps) error {
	bounded := ctx
	if l.remote != nil {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, awaitEngine)
		defer cancel()
	}
	err := l.engine.AwaitInterruptedOps(bounded, ops == awaitAll, l.cluster.Ownership.Labels()...)
	if l.remote != nil && ctx.Err() == nil {
		return nil
	}
	return err
}

// save puts the state on disk. The caller holds the lab's lock.
func (l *Lab) save() error { return l.files.Save(l.state) }
