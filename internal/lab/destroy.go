package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/provision/ec2"
	"github.com/labctl/labctl/provision/kind"
	"github.com/labctl/labctl/provision/mirror"
)

// Target says which lab is to be destroyed.
type Target struct {
	Lab    string // empty: none is up, and what is left of removals that were cut short goes
	Region string // of AWS, where to look for a lab that this machine does not remember; empty: all
}

// Receipt is what Destroy removed; its JSON form is that of `down -o json`.
type Receipt struct {
	Lab        string   `json:"lab"`
	Removed    []string `json:"removed"`
	Seconds    float64  `json:"seconds"`
	NothingUp  bool     `json:"nothing_up,omitempty"`
	KeptVolume []string `json:"kept_volumes,omitempty"`
	Spent      float64  `json:"spent_usd,omitempty"`  // on a host on AWS, without taxes
	Looked     []string `json:"looked_at,omitempty"`  // where nothing was found
	NotLooked  string   `json:"not_looked,omitempty"` // where else it might be, and why nobody looked

	Forgotten bool `json:"-"` // this machine remembers nothing of the lab any more
}

// Destroy removes everything of a lab and returns when it has seen that it is gone. It goes by the marks on what
// exists, without the lab file and, where it must, without what this machine remembers. A lab that is not there is
// no error. With an error the receipt says what was removed before it; nil: nothing.
func (m *Machine) Destroy(ctx context.Context, t Target) (*Receipt, error) {
	began := m.now()
	r := &Receipt{Lab: t.Lab, Removed: []string{}}
	if t.Lab == "" {
		home, err := m.Home()
		if err == nil {
			err = home.Tidy()
		}
		r.NothingUp = true
		return r, leftover(err)
	}
	l, err := m.marked(ctx, t)
	if err != nil {
		return nil, err
	}
	ops := awaitMaking
	if l.remote != nil {
		ops = awaitNone // the engine goes with the host
	}
	release, err := l.lock(ctx, ops)
	if err != nil {
		return nil, err
	}
	defer release()
	var unasked error // why nobody can tell what is kept
	switch {
	case l.remote != nil:
		r.Spent = ec2.CostOf(*l.remote.State, m.now()).Spent
		err = m.destroyAll(ctx, l.remote)
		r.Removed = append(r.Removed, l.remote.Removed()...)
	default:
		unasked, err = l.destroyHere(ctx, t, r)
	}
	if err == nil {
		err = cmp.Or(l.forget(r), unasked)
	}
	r.Seconds = m.now().Sub(began).Seconds()
	return r, err
}

// marked opens a lab for its removal: by what this machine remembers of where it is, else by its marks alone.
func (m *Machine) marked(ctx context.Context, t Target) (*Lab, error) {
	home, err := m.Home()
	if err != nil {
		return nil, err
	}
	owner, err := m.owner()
	if err != nil {
		return nil, err
	}
	files := home.Lab(t.Lab)
	st, err := files.Load()
	host := &ec2.HostState{}
	if err == nil {
		host, err = hostOf(st)
	}
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist), clierr.ClassOf(err) == clierr.Failed:
		st, host = &state.State{Lab: t.Lab, Owner: owner}, &ec2.HostState{} // lost or damaged: the marks suffice
	default:
		return nil, err
	}
	bare := &labfile.Lab{Name: t.Lab, Cluster: &labfile.Cluster{Type: "kind", Name: st.Cluster.Name}}
	switch {
	case len(st.Host) == 0 && st.Owner != owner, len(st.Host) > 0 && m.Owner != "" && m.Owner != st.Owner:
		return nil, foreignLab(t.Lab, st.Owner, owner)
	case len(st.Host) == 0 && !st.Created.IsZero() && t.Region != "":
		return nil, clierr.New(clierr.Usage, "lab %s is on this machine's own Docker, not in %s", t.Lab, t.Region).WithNext("Leave --region out.")
	case len(st.Host) > 0 && t.Region != "" && t.Region != host.Region:
		return nil, clierr.New(clierr.Usage, "lab %s has its host in %s, not in %s", t.Lab, host.Region, t.Region).WithNext("Leave --region out.")
	case len(st.Host) > 0:
		bare.Host = &labfile.Host{Type: "ec2", Name: host.Name, Region: host.Region}
	}
	return m.assemble(ctx, bare, nil, files, st)
}

// destroyAll destroys resources, what others stand on last, and returns when each was seen to be gone.
func (m *Machine) destroyAll(ctx context.Context, resources ...provision.Resource) error {
	graph, err := provision.NewGraph(resources...)
	if err != nil {
		return err
	}
	return graph.Destroy(ctx, m.Events)
}

// destroyHere removes a lab from this machine's engine. One that this machine does not remember and of which the
// engine has nothing is looked for on AWS, and removed there. unasked is why it cannot be told which volumes are kept:
// that lets the lab be gone.
func (l *Lab) destroyHere(ctx context.Context, t Target, r *Receipt) (unasked, err error) {
	var kept []string // a removal leaves them alone, so they can be asked for at any time
	var asked sync.WaitGroup
	asking, stop := context.WithCancel(ctx)
	defer stop()
	asked.Go(func() {
		kept, unasked = l.engine.Volumes(asking, mirror.LabelCache+"=mirror", provision.LabelOwner+"="+l.state.Owner)
	})
	removed, err := l.destroyMarked(ctx)
	if err != nil {
		stop() // it has said that it does not answer
	}
	asked.Wait()
	r.Removed = append(r.Removed, removed...)
	remembered := !l.state.Created.IsZero()
	if away := errors.Is(err, docker.ErrNoEngine); !remembered && (err == nil && len(removed) == 0 || away || t.Region != "") {
		return nil, l.destroyOnAWS(ctx, t, err, r)
	}
	if err != nil {
		return nil, err
	}
	r.KeptVolume = kept
	return unasked, nil
}

// destroyMarked removes every cluster, the mirror and every volume that carries the lab's marks, and returns what
// there was.
func (l *Lab) destroyMarked(ctx context.Context) ([]string, error) {
	owned := l.cluster.Ownership
	containers, volumes, err := l.engine.Labelled(ctx, owned.Labels()...)
	if err != nil {
		return nil, engineAway(err)
	}
	clusters := clustersOf(containers, l.state.Cluster.Name)
	if len(clusters) == 0 && len(containers) == 0 && len(volumes) == 0 {
		return nil, nil
	}
	if records, err := l.engine.Journal.Records(); err != nil || len(records) == 0 {
		// Something of the lab is there and nothing says what was being done to it.
		if err := l.engine.AwaitLate(ctx, nil, owned.Labels()...); err != nil {
			return nil, engineAway(err)
		}
	}
	resources := []provision.Resource{&mirror.Mirror{Ownership: owned, Engine: l.engine}}
	for _, name := range clusters {
		// Known by its marks alone, so that it can be destroyed and nothing else.
		resources = append(resources, &kind.Cluster{
			Spec: &labfile.Cluster{Type: "kind", Name: name}, Ownership: owned, Engine: l.engine, Files: l.files, State: l.state,
			Seen: slices.DeleteFunc(slices.Clone(containers), func(c docker.Container) bool { return c.Labels[provision.LabelCluster] != name }),
		})
	}
	if err := l.m.destroyAll(ctx, resources...); err != nil {
		return nil, err
	}
	// What carries the marks and belongs to no cluster any more.
	if _, err := l.engine.Clear(ctx, "lab."+owned.Lab, nil, owned.Labels()...); errors.Is(err, docker.ErrNoEngine) {
		return nil, engineAway(err)
	} else if err != nil {
		return nil, err
	}
	var removed []string
	for _, c := range containers {
		removed = append(removed, "container "+c.Name)
	}
	for _, v := range volumes {
		removed = append(removed, "volume "+v)
	}
	return removed, nil
}

// clustersOf lists the clusters that containers belong to; recorded is the one that the state knows,
// whose containers may be gone while their volumes are not.
func clustersOf(containers []docker.Container, recorded string) []string {
	var names []string
	if recorded != "" {
		names = append(names, recorded)
	}
	for _, c := range containers {
		if name := c.Labels[provision.LabelCluster]; name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// errNotSearched: nobody has configured credentials for AWS, and no region was named.
var errNotSearched = errors.New("AWS was not searched, since no credentials for it are configured here; --region NAME looks all the same")

// destroyOnAWS removes what AWS has of a lab that this machine does not remember. engine is why its Docker engine
// could not be asked.
func (l *Lab) destroyOnAWS(ctx context.Context, t Target, engine error, r *Receipt) error {
	if engine != nil && !errors.Is(engine, docker.ErrNoEngine) {
		return engine
	}
	if engine == nil {
		r.Looked = append(r.Looked, "this machine's Docker engine")
	}
	found, err := &Located{}, errNotSearched
	if t.Region != "" || l.m.hasAWS() {
		q := query{lab: t.Lab, await: true}
		if t.Region != "" {
			q.regions = []string{t.Region}
		}
		if err = l.m.locateAWS(ctx, q, found); errors.Is(err, ec2.ErrNoCredentials) && t.Region == "" {
			err = errNotSearched
		}
	}
	if err == nil {
		r.Looked = append(r.Looked, found.Looked)
		err = found.notEverywhere()
		for _, f := range found.Labs {
			if !f.Mine {
				l.m.Events.Emit(event.Notice{Text: fmt.Sprintf("lab %s of %s in %s is left alone. If that is you: --owner %s", f.Lab, f.Owner, f.Host.Region, f.Owner)})
				continue
			}
			host := ec2.NewHost(f.Host.Spec(), f.Host.Ownership(), found.client(f.Host.Region), l.engine.Journal, nil)
			l.m.Events.Emit(event.Notice{Addr: host.Addr(), Text: "found lab " + f.Lab + " of " + f.Owner + " in " + f.Host.Region})
			err = errors.Join(err, l.m.destroyAll(ctx, host))
			r.Removed = append(r.Removed, host.Removed()...)
		}
	}
	switch {
	case errors.Is(err, errNotSearched) && engine != nil:
		return engine
	case errors.Is(err, errNotSearched):
		r.NotLooked = errNotSearched.Error()
	case err != nil:
		return err // more of it may be where nobody could look
	case engine != nil && t.Region != "":
		r.NotLooked = "This machine's Docker engine does not answer."
	case engine != nil && len(r.Removed) == 0:
		return engine // it may be there
	}
	return nil
}

// forget removes the lab's files, now that nothing is left that they are about.
func (l *Lab) forget(r *Receipt) error {
	if _, err := os.Stat(l.files.Path(state.StateFile)); err == nil {
		r.Removed = append(r.Removed, "files in "+l.files.Dir())
	}
	err := l.files.Remove()
	r.Forgotten = err == nil
	return leftover(err)
}

func leftover(err error) error {
	if err == nil {
		return nil
	}
	return clierr.New(clierr.Leftover, "%w", err)
}

func engineAway(err error) error {
	return clierr.New(clierr.Inconclusive, "%w", err).
		WithNext("Nothing was forgotten: start the Docker engine and run the same command again.")
}
