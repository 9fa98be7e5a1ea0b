// Package mirror is a lab's image registry as a resource: a plain registry that only the cluster's
// nodes reach, filled with the images that the lab's scenarios name, and read-only after that.
//
// It is never a pull-through proxy: that turns an upstream failure into "not found", which is a
// false symptom. Where Docker Hub can be reached it stays the fallback and so the authority on what
// does not exist; where it cannot, the mirror is.
package mirror

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/go-multierror"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

// LabelCache marks the volume that `down` keeps.
const LabelCache = "labctl.cache"

// labelSubstitute on a local image says that it is not what its name says, but does for the exercises.
const labelSubstitute = "labctl.standin"

// port is where the registry listens, inside its container only.
const port = "5000"

// Cluster is what the mirror needs to know of its cluster.
type Cluster interface {
	provision.Resource
	NodeNames() []string
}

// Mirror is the resource "mirror.registry.LAB". Its methods are called one at a time.
type Mirror struct {
	Ownership provision.Ownership
	Images    []string // "nginx:1.25", as the scenarios name them
	Engine    *docker.Engine
	Cluster   Cluster
	Network   string // the docker network that the nodes are on

	registry         string   // the image that serves, by id or digest; known in Apply
	substituteImages []string // those of Images that are substitute images, known after Observe or Apply
}

// Addr implements provision.Resource.
func (m *Mirror) Addr() string { return "mirror.registry." + m.Ownership.Lab }

// Needs implements provision.Resource.
func (m *Mirror) Needs() []provision.Need {
	if m.Cluster == nil {
		return nil // known by its marks alone, to be destroyed
	}
	return []provision.Need{{Resource: m.Cluster, Milestone: provision.MilestoneNodes}}
}

// Summary implements provision.Summarizer.
func (m *Mirror) Summary() string {
	text := "serves " + strings.Join(m.Images, ", ")
	if len(m.substituteImages) > 0 {
		text += "; substitute images on this machine: " + strings.Join(m.substituteImages, ", ")
	}
	return text
}

// Observe implements provision.Resource. The questions are asked side by side, though not all answers
// count in every case: each costs the start of a docker command, and `up` ends with an observation.
func (m *Mirror) Observe(ctx context.Context) (provision.Observation, error) {
	var (
		asked      sync.WaitGroup
		found      *docker.Container
		local      []localImage
		missing    []string
		held       string
		hosts      map[string]string
		lerr, nerr error
		herr       error
	)
	asked.Go(func() { found, nerr = m.find(ctx) })
	asked.Go(func() { local, missing, lerr = m.local(ctx) })
	asked.Go(func() { held, herr = m.held(ctx) })
	asked.Go(func() { hosts = m.readHosts(ctx) })
	asked.Wait()
	if err := cmp.Or(nerr, lerr); err != nil {
		return provision.Observation{}, err
	}
	switch {
	case found == nil:
		return provision.Observation{State: provision.Absent, Reason: "no mirror runs", Action: "start a mirror of " + strings.Join(m.Images, ", ")}, nil
	case found.State != "running":
		return provision.Observation{State: provision.Partial, Reason: found.Name + " is " + found.State, Action: "start it"}, nil
	case herr != nil:
		return provision.Observation{}, herr
	}
	// Its label says what it was started for, which is not yet what it holds.
	if empty := lacks(held, local); len(empty) > 0 {
		return provision.Observation{State: provision.Partial, Reason: "it does not hold " + empty[0].name + " yet", Action: "fill it"}, nil
	}
	for _, name := range missing {
		if !holds(held, name) {
			return provision.Observation{State: provision.Partial, Reason: "image " + name + " is neither on the engine nor in the mirror", Action: "pull it"}, nil
		}
	}
	closed := m.closed(ctx)
	for _, name := range m.Images {
		if pinned(name) && closed[parse(name).registry] {
			return provision.Observation{State: provision.Partial, Reason: "the nodes do not reach the registry of " + name, Action: "look again"}, nil
		}
	}
	want := m.wanted(closed)
	for node, have := range hosts {
		if have != want {
			return provision.Observation{State: provision.Partial, Reason: node + " does not know the mirror", Action: "tell it"}, nil
		}
	}
	return provision.Observation{State: provision.Current, Reason: m.Summary()}, nil
}

// find returns the mirror's container, nil when there is none, and refuses a stranger's.
func (m *Mirror) find(ctx context.Context) (*docker.Container, error) {
	named, err := m.Engine.Named(ctx, m.container())
	if err != nil || len(named) == 0 {
		return nil, err
	}
	if !m.Ownership.On(named[0].Labels) {
		return nil, m.stranger(named[0])
	}
	return &named[0], nil
}

// Preflight implements provision.Preflighter: a stranger's container of the mirror's name is found
// before the cluster is made.
func (m *Mirror) Preflight(ctx context.Context) error {
	_, err := m.find(ctx)
	return err
}

// localImage is one of the mirror's images on the engine.
type localImage struct {
	name string
	docker.Image
}

// local looks the images up on the engine and notes which are substitute images.
func (m *Mirror) local(ctx context.Context) (have []localImage, missing []string, err error) {
	m.substituteImages = nil
	for _, name := range m.Images {
		if pinned(name) {
			continue
		}
		img, ok, err := m.Engine.Image(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			missing = append(missing, name)
			continue
		}
		if img.Labels[labelSubstitute] == "true" {
			m.substituteImages = append(m.substituteImages, name)
		}
		have = append(have, localImage{name, img})
	}
	return have, missing, nil
}

// Apply implements provision.Resource. It serves what can be had, announces each image, and fails for the others
// together at the end: a scenario waits for its own images alone.
func (m *Mirror) Apply(ctx context.Context, sink event.Sink) error {
	have, missing, err := m.local(ctx)
	if err != nil {
		return err
	}
	if m.registry, err = m.getRegistry(ctx, sink); err != nil {
		return err
	}
	if err := m.serve(ctx, sink); err != nil {
		return err
	}
	closed := m.closed(ctx)
	if err := m.announce(ctx, closed); err != nil {
		return err
	}
	if len(m.substituteImages) > 0 {
		sink.Emit(event.Notice{Addr: m.Addr(), Text: "no registry can be reached: " + strings.Join(m.substituteImages, ", ") + " are substitute images built from Debian packages"})
	}
	lacking := m.checkPinned(sink, closed)
	if err := m.fill(ctx, sink, have, missing); err != nil {
		lacking = multierror.Append(lacking, err)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return lacking.ErrorOrNil()
}

// pinned: the image is named by its digest.
func pinned(name string) bool { return parse(name).digest != "" }

// checkPinned announces the images that are named by their digests. They stay with their registries: what an engine
// saves of an image has another digest.
func (m *Mirror) checkPinned(sink event.Sink, closed map[string]bool) (lacking *multierror.Error) {
	for _, name := range m.Images {
		switch {
		case !pinned(name):
		case closed[parse(name).registry]:
			lacking = multierror.Append(lacking, clierr.New(clierr.Failed, "image %s cannot be had: the nodes do not reach %s, and the mirror serves no digests", name, parse(name).registry).
				WithNext("Name the image by its tag: then the mirror can serve it."))
		default:
			sink.Emit(event.Milestone{Addr: m.Addr(), Name: Milestone(name)})
		}
	}
	return lacking
}

// serve runs the registry, read-only, on the nodes' network and on no port of the host.
func (m *Mirror) serve(ctx context.Context, sink event.Sink) error {
	found, err := m.find(ctx)
	if err != nil {
		return err
	}
	if found != nil && found.State == "running" {
		return nil
	}
	if found != nil {
		return m.Engine.Start(ctx, m.Addr(), *found)
	}
	if err := m.ensureVolume(ctx); err != nil {
		return err
	}
	sink.Emit(event.Progress{Addr: m.Addr(), Step: "starting the registry"})
	args := []string{"run", "--detach", "--name", m.container(), "--network", m.Network, "--restart=on-failure:1",
		"--volume", m.volume() + ":/var/lib/registry:ro",
		// https://distribution.github.io/distribution/about/configuration/#readonly
		"--env", "REGISTRY_STORAGE_MAINTENANCE_READONLY={\"enabled\":true}"}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		args = append(args, "--env", name+"=") // docker would set them from its own settings, passwords and all
	}
	args = append(args, provision.Flags(m.Ownership.Labels())...)
	_, err = m.Engine.Change(ctx, state.Act{Verb: "docker run", Object: m.container(), Addr: m.Addr()}, nil, append(args, m.registry)...)
	return err
}

func (m *Mirror) ensureVolume(ctx context.Context) error {
	args := append([]string{"volume", "create", "--label", LabelCache + "=mirror", "--label", provision.LabelOwner + "=" + m.Ownership.Owner}, m.volume())
	_, err := m.Engine.Change(ctx, state.Act{Verb: "docker volume create", Object: m.volume(), Addr: m.Addr()}, nil, args...)
	return err
}

// Destroy implements provision.Resource. The cache volume stays.
func (m *Mirror) Destroy(ctx context.Context, sink event.Sink) error {
	found, err := m.Engine.Named(ctx, m.container(), m.filler())
	if err != nil {
		return clierr.New(clierr.Inconclusive, "%w", err).WithNext("Start the Docker engine and run the same command again.")
	}
	ours := slices.DeleteFunc(found, func(c docker.Container) bool { return !m.Ownership.On(c.Labels) })
	if len(ours) > 0 {
		sink.Emit(event.Progress{Addr: m.Addr(), Step: "removing " + m.container()})
	}
	if err := m.Engine.Remove(ctx, m.Addr(), ours...); err != nil {
		return err
	}
	return m.prove(ctx)
}

func (m *Mirror) prove(ctx context.Context) error {
	left, err := m.Engine.Named(ctx, m.container(), m.filler())
	if err != nil {
		return err
	}
	for _, c := range left {
		if m.Ownership.On(c.Labels) {
			return clierr.New(clierr.Leftover, "container %s is still there", c.Name).WithNext("Run `labctl down %s` again.", m.Ownership.Lab)
		}
	}
	return nil
}

// Stop stops the mirror; Apply starts it again.
func (m *Mirror) Stop(ctx context.Context) error {
	found, err := m.find(ctx)
	if err != nil || found == nil || found.State != "running" {
		return err
	}
	return m.Engine.Stop(ctx, m.Addr(), "5", *found)
}
