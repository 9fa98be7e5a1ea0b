package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/provision/kind"
	"github.com/labctl/labctl/provision/local"
	"github.com/labctl/labctl/provision/mirror"
	"github.com/labctl/labctl/scenarios"
)

// session is one lab with its resources, ready to be observed or changed.
type session struct {
	app     *app
	lab     *labfile.Lab
	files   *state.Lab
	state   *state.State
	engine  *docker.Engine
	remote  *remote // the lab's host, when that is not this machine
	host    *local.Engine
	cluster *kind.Cluster
	mirror  *mirror.Mirror
	lock    *state.Lock
}

// home returns labctl's directory.
func (a *app) home() (state.Home, error) {
	dir, err := state.DefaultDir(a.getenv)
	return state.Home{Dir: dir, Now: a.now}, err
}

// whose returns the owner: --owner, $LABCTL_OWNER, else the operating system's user.
func (a *app) whose() (string, error) {
	if a.owner != "" {
		// Docker prints labels joined by commas.
		if strings.ContainsAny(a.owner, ",=\n\"") {
			return "", clierr.New(clierr.Usage, "owner %q holds a comma, a quote, a line break or an equals sign", a.owner)
		}
		return a.owner, nil
	}
	u, err := user.Current()
	if err != nil {
		return "", clierr.New(clierr.Usage, "finding out who you are: %w", err).WithNext("Pass --owner NAME.")
	}
	return u.Username, nil
}

// docker returns this machine's engine as its docker command reaches it. Without a docker command
// every call fails as it does without an engine.
func (a *app) docker() (*docker.Engine, string) {
	path := lookPath("docker", a.getenv("PATH"))
	return &docker.Engine{Runner: command.Local{Docker: path, Env: a.Environ}}, path
}

// lookPath finds a command, but never labctl's own docker shim.
func lookPath(command, path string) string {
	self, _ := os.Executable()
	for _, dir := range strings.Split(path, string(os.PathListSeparator)) {
		found, err := exec.LookPath(dir + "/" + command)
		if err != nil {
			continue
		}
		if same(found, self) {
			continue
		}
		return found
	}
	return command
}

func same(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// open makes the session of a parsed lab. st is its state, new or loaded.
func (a *app) open(ctx context.Context, lab *labfile.Lab, files *state.Lab, st *state.State) (*session, error) {
	return a.openWith(ctx, lab, imagesOf(lab.Scenarios), files, st)
}

// openWith is open for a lab whose mirror serves images, whatever its scenarios are.
func (a *app) openWith(ctx context.Context, lab *labfile.Lab, images []string, files *state.Lab, st *state.State) (*session, error) {
	home, err := a.home()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding labctl's own executable: %w", err)
	}
	engine, dockerPath := a.docker()
	if engine.Journal, err = files.OpenJournal(); err != nil {
		return nil, err
	}
	marks := provision.Ownership{Lab: lab.Name, Owner: st.Owner}
	s := &session{app: a, lab: lab, files: files, state: st, engine: engine}
	s.host = &local.Engine{Docker: engine, Ownership: marks, Nodes: len(lab.Cluster.Nodes)}
	if lab.Host != nil {
		if s.remote, err = a.newRemote(ctx, lab, files, st, engine.Journal); err != nil {
			return nil, err
		}
		engine.Runner, s.host.Host, s.host.Name = s.remote, s.remote, lab.Host.Name
	}
	s.cluster = &kind.Cluster{
		Spec: lab.Cluster, Ownership: marks, Engine: engine, Host: s.host, CheckRoom: s.host.CheckRoom,
		Home: home.Dir, Files: files, State: st, Binary: self, Docker: dockerPath, Env: a.Environ,
		OnRequest: a.onRequest(), NoProxy: []string{mirror.Container(lab.Name)},
	}
	if s.remote != nil {
		s.cluster.Dial, s.cluster.Env = s.remote.DialContext, withoutProxies(a.Environ)
	}
	if len(images) > 0 {
		s.mirror = &mirror.Mirror{Ownership: marks, Images: images, Engine: engine, Cluster: s.cluster, Network: kind.Network}
	}
	if err := s.ensureSameEngine(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// onRequest returns what writes every API request to the file that $LABCTL_DEBUG_REQUESTS names.
func (a *app) onRequest() func(method, path string) {
	kill := a.killRequest()
	if a.debug == "" {
		return kill
	}
	return func(method, path string) {
		if kill != nil {
			kill(method, path)
		}
		f, err := os.OpenFile(a.debug, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return
		}
		defer f.Close()
		fmt.Fprintln(f, method, path)
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

// infrastructure is the graph without scenarios.
func (s *session) infrastructure() []provision.Resource {
	all := []provision.Resource{s.host, s.cluster}
	if s.remote != nil {
		all = append(all, s.remote)
	}
	if s.mirror != nil {
		all = append(all, s.mirror)
	}
	return all
}

// graph is the whole lab, or the infrastructure and only the scenarios given.
func (s *session) graph(only ...*labfile.Scenario) (*provision.Graph, error) {
	if only == nil {
		only = s.lab.Scenarios
	}
	all := s.infrastructure()
	for _, sc := range only {
		all = append(all, s.scenario(sc))
	}
	return provision.NewGraph(all...)
}

// hold takes the lab's lock for a command that changes something, and waits until nothing that a
// killed labctl left under way can come between.
func (s *session) hold(ctx context.Context) (release func(), err error) {
	return s.holdSettled(ctx, true)
}

// holdSettled is hold; finish says whether containers that were being stopped must have stopped.
func (s *session) holdSettled(ctx context.Context, finish bool) (release func(), err error) {
	if release, err = s.holdUnsettled(ctx); err != nil {
		return nil, err
	}
	if err := s.settle(ctx, finish); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// holdUnsettled takes the lab's lock and asks nothing of the engine.
func (s *session) holdUnsettled(ctx context.Context) (release func(), err error) {
	host, _ := os.Hostname()
	s.lock, err = s.files.Lock(ctx, state.Holder{
		PID: os.Getpid(), User: s.state.Owner, Host: host,
		Command: "labctl " + strings.Join(s.app.Args[1:], " "), Since: s.app.now(),
	})
	if err != nil {
		return nil, err
	}
	s.cluster.Lock = s.lock
	if err := s.reread(); err != nil {
		s.lock.Release()
		return nil, err
	}
	return s.lock.Release, nil
}

// reread takes over what the lock's last holder has written since the state was read.
func (s *session) reread() error {
	st, err := s.files.Load()
	known := err == nil && st.Owner == s.state.Owner
	if known {
		s.state.Cluster, s.state.Engine = st.Cluster, st.Engine
	}
	if s.remote == nil {
		return nil
	}
	if known {
		host, err := hostOf(st)
		if err != nil {
			return err
		}
		s.state.Host, *s.remote.State = st.Host, *host
	}
	return s.remote.keepKeys(s.files)
}

// settle waits for what a killed labctl left under way on the engine. That of a host which cannot be
// reached now, and may be on its way, does not hold anything up.
func (s *session) settle(ctx context.Context, finish bool) error {
	bounded := ctx
	if s.remote != nil {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
	}
	err := s.engine.AwaitInterruptedOps(bounded, finish, s.cluster.Ownership.Labels()...)
	if s.remote != nil && ctx.Err() == nil {
		return nil
	}
	return err
}

// pick decides which lab is meant.
func (a *app) pick(ctx context.Context) (string, error) {
	if a.lab != "" {
		return a.lab, nil
	}
	if lab := a.getenv("LABCTL_LAB"); lab != "" {
		return lab, nil
	}
	home, err := a.home()
	if err != nil {
		return "", err
	}
	labs, err := home.Labs()
	if err != nil {
		return "", err
	}
	labs = slices.DeleteFunc(labs, func(name string) bool {
		_, err := home.Lab(name).Load()
		return errors.Is(err, fs.ErrNotExist)
	})
	switch len(labs) {
	case 0:
		if err := a.stateless(ctx, ""); err != nil {
			return "", err
		}
		return "", clierr.New(clierr.Usage, "no lab is up").WithNext("`labctl up day10.hcl --local` starts one.")
	case 1:
		return labs[0], nil
	}
	return "", clierr.New(clierr.Usage, "several labs are up: %s", strings.Join(labs, ", ")).
		WithNext("Say which with --lab NAME.")
}

// stateless explains that labctl's files of a lab (of any, without a name) are lost while its containers
// are there: without them nobody knows what the lab should be. It is nil when there are none.
func (a *app) stateless(ctx context.Context, name string) error {
	owner, err := a.whose()
	if err != nil {
		return err
	}
	labels := []string{provision.LabelOwner + "=" + owner}
	if name != "" {
		labels = provision.Ownership{Lab: name, Owner: owner}.Labels()
	}
	engine, _ := a.docker()
	found, err := engine.Containers(ctx, labels...)
	if err != nil || len(found) == 0 {
		return nil
	}
	lab := found[0].Labels[provision.LabelLab]
	return clierr.New(clierr.Usage, "containers of lab %s are there, but labctl has no state of it", lab).
		WithNext("`labctl up` with its lab file takes it up again; `labctl down %s` removes it.", lab)
}

func foreignLab(name, owner, caller string) error {
	return clierr.New(clierr.Refused, "lab %s belongs to %s, and you are %s", name, owner, caller).
		WithNext("Pass --owner %s if that is you, or --name for a lab of your own.", owner)
}

// addExtra appends catalogue scenarios that a learner added to a lab.
func addExtra(lab *labfile.Lab, names []string) error {
	for _, name := range names {
		if slices.ContainsFunc(lab.Scenarios, func(s *labfile.Scenario) bool { return s.Name == name }) {
			continue
		}
		def, err := scenarios.Lookup(name)
		if err != nil {
			return err
		}
		lab.Scenarios = append(lab.Scenarios, &labfile.Scenario{Definition: def, Input: defaults(def)})
	}
	return nil
}

// defaults are the inputs of a scenario that no lab file sets.
func defaults(def *labfile.Definition) map[string]cty.Value {
	values := map[string]cty.Value{}
	for _, in := range def.Inputs {
		values[in.Name] = in.Default
	}
	return values
}
