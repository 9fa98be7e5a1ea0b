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
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/fault"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

// LabelCache marks the volume that `down` keeps.
const LabelCache = "labctl.cache"

// labelContents on the container says for which images, in which builds, it was set up.
const labelContents = "labctl.mirror"

// labelStandIn on a local image says that it is not what its name says, but does for the exercises.
const labelStandIn = "labctl.standin"

// registryImage serves the mirror; Docker's own registry, or a stand-in under the same name.
const registryImage = "registry:2"

// port is where the registry listens, inside its container only.
const port = "5000"

// Cluster is what the mirror needs to know of its cluster.
type Cluster interface {
	provision.Resource
	NodeNames() []string
}

// Mirror is the resource "mirror.registry.LAB". Its methods are called one at a time.
type Mirror struct {
	Marks   provision.Marks
	Images  []string // "nginx:1.25", as the scenarios name them
	Engine  *docker.Engine
	Cluster Cluster
	Network string // the docker network that the nodes are on

	standIns []string // those of Images that are stand-ins, known after Observe or Apply
}

// Addr implements provision.Resource.
func (m *Mirror) Addr() string { return "mirror.registry." + m.Marks.Lab }

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
	if len(m.standIns) > 0 {
		text += "; stand-ins on this machine: " + strings.Join(m.standIns, ", ")
	}
	return text
}

// Container is the name of a lab's mirror, by which the nodes reach it.
func Container(lab string) string { return "labctl-mirror-" + lab }

func (m *Mirror) container() string { return Container(m.Marks.Lab) }
func (m *Mirror) filler() string    { return "labctl-mirror-" + m.Marks.Lab + "-fill" }

// volume is shared by all labs of an owner on one host, so that an image is pulled once.
func (m *Mirror) volume() string {
	sum := sha256.Sum256([]byte(m.Marks.Owner))
	return "labctl-mirror-" + hex.EncodeToString(sum[:4])
}

// Observe implements provision.Resource. The questions are asked side by side, though not all answers
// count in every case: each costs the start of a docker command, and `up` ends with an observation.
func (m *Mirror) Observe(ctx context.Context) (provision.Observation, error) {
	var (
		asked            sync.WaitGroup
		found            *docker.Container
		fillers          []docker.Container
		local            []localImage
		missing          []string
		held             string
		hosts            map[string]string
		ferr, lerr, nerr error
		herr             error
	)
	asked.Go(func() { found, nerr = m.find(ctx) })
	asked.Go(func() { fillers, ferr = m.fillers(ctx) })
	asked.Go(func() { local, missing, lerr = m.local(ctx) })
	asked.Go(func() { held, herr = m.held(ctx) })
	asked.Go(func() { hosts = m.readHosts(ctx) })
	asked.Wait()
	if err := cmp.Or(nerr, ferr, lerr); err != nil {
		return provision.Observation{}, err
	}
	switch {
	case found == nil:
		return provision.Observation{State: provision.Absent, Reason: "no mirror runs", Action: "start a mirror of " + strings.Join(m.Images, ", ")}, nil
	case found.State != "running":
		return provision.Observation{State: provision.Partial, Reason: found.Name + " is " + found.State, Action: "start it"}, nil
	case len(fillers) > 0:
		return provision.Observation{State: provision.Partial, Reason: "its filling was interrupted", Action: "fill it"}, nil
	case len(missing) == 0 && found.Labels[labelContents] != contents(local):
		return provision.Observation{State: provision.Drifted, Reason: "it was filled for other images", Action: "fill it again"}, nil
	case herr != nil:
		return provision.Observation{}, herr
	}
	// Its label says what it was started for, which is not yet what it holds.
	if empty := lacks(held, local); len(empty) > 0 {
		return provision.Observation{State: provision.Partial, Reason: "it does not hold " + empty[0].name + " yet", Action: "fill it"}, nil
	}
	want := m.hosts(m.closed(ctx))
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
	if !m.Marks.On(named[0].Labels) {
		return nil, fault.New(fault.Refused, "container %s exists and is not this lab's; it is left alone", named[0].Name).
			WithNext("Give this lab a name of its own with --name, or remove that container yourself.")
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

// local looks the images up on the engine and notes which are stand-ins.
func (m *Mirror) local(ctx context.Context) (have []localImage, missing []string, err error) {
	m.standIns = nil
	for _, name := range m.Images {
		img, ok, err := m.Engine.Image(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			missing = append(missing, name)
			continue
		}
		if img.Labels[labelStandIn] == "true" {
			m.standIns = append(m.standIns, name)
		}
		have = append(have, localImage{name, img})
	}
	return have, missing, nil
}

// contents is a short name for a set of images in their present builds.
func contents(images []localImage) string {
	h := sha256.New()
	for _, i := range images {
		fmt.Fprintf(h, "%s %s\n", i.name, i.ID)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// Apply implements provision.Resource.
func (m *Mirror) Apply(ctx context.Context, sink event.Sink) error {
	images, err := m.pull(ctx, sink)
	if err != nil {
		return err
	}
	if err := m.serve(ctx, sink, contents(images)); err != nil {
		return err
	}
	if err := m.fill(ctx, sink, images); err != nil {
		return err
	}
	if len(m.standIns) > 0 {
		sink.Emit(event.Notice{Addr: m.Addr(), Text: "no registry can be reached: " + strings.Join(m.standIns, ", ") + " are stand-ins built from Debian packages"})
	}
	return m.announce(ctx)
}

// pull gets the images that the engine does not have.
func (m *Mirror) pull(ctx context.Context, sink event.Sink) ([]localImage, error) {
	_, missing, err := m.local(ctx)
	if err != nil {
		return nil, err
	}
	if _, ok, err := m.Engine.Image(ctx, registryImage); err != nil {
		return nil, err
	} else if !ok {
		missing = append(missing, registryImage)
	}
	for _, name := range missing {
		sink.Emit(event.Progress{Addr: m.Addr(), Step: "pulling " + name})
		if _, err := m.Engine.Change(ctx, state.Act{Verb: "docker pull", Object: name, Addr: m.Addr()}, nil, "pull", "--quiet", name); err != nil {
			return nil, fault.New(fault.Failed, "pulling %s: %w", name, err).
				WithNext("Without a registry, `make mirror-images` in labctl's repository builds stand-ins on this machine.")
		}
	}
	images, _, err := m.local(ctx)
	return images, err
}

// serve runs the registry, read-only, on the nodes' network and on no port of the host.
func (m *Mirror) serve(ctx context.Context, sink event.Sink, want string) error {
	found, err := m.find(ctx)
	if err != nil {
		return err
	}
	if found != nil && found.Labels[labelContents] == want {
		if found.State == "running" {
			return nil
		}
		return m.Engine.Start(ctx, m.Addr(), *found)
	}
	if found != nil {
		if err := m.Engine.Remove(ctx, m.Addr(), *found); err != nil {
			return err
		}
	}
	if err := m.ensureVolume(ctx); err != nil {
		return err
	}
	sink.Emit(event.Progress{Addr: m.Addr(), Step: "starting the registry"})
	args := []string{"run", "--detach", "--name", m.container(), "--network", m.Network, "--restart=on-failure:1",
		"--volume", m.volume() + ":/var/lib/registry:ro",
		// https://distribution.github.io/distribution/about/configuration/#readonly
		"--env", "REGISTRY_STORAGE_MAINTENANCE_READONLY={\"enabled\":true}",
		"--label", labelContents + "=" + want}
	args = append(args, provision.Flags(m.Marks.Labels())...)
	_, err = m.Engine.Change(ctx, state.Act{Verb: "docker run", Object: m.container(), Addr: m.Addr()}, nil, append(args, registryImage)...)
	return err
}

func (m *Mirror) ensureVolume(ctx context.Context) error {
	args := append([]string{"volume", "create", "--label", LabelCache + "=mirror", "--label", provision.LabelOwner + "=" + m.Marks.Owner}, m.volume())
	_, err := m.Engine.Change(ctx, state.Act{Verb: "docker volume create", Object: m.volume(), Addr: m.Addr()}, nil, args...)
	return err
}

// announce tells the nodes' containerd of the mirror. It reads hosts.toml at every pull, so nothing
// has to be restarted.
func (m *Mirror) announce(ctx context.Context) error {
	want := m.hosts(m.closed(ctx))
	const script = "mkdir -p " + hostsDir + " && cat > " + hostsDir + "/hosts.tmp && mv " + hostsDir + "/hosts.tmp " + hostsFile
	have := m.readHosts(ctx)
	errs := make([]error, len(m.Cluster.NodeNames()))
	var wg sync.WaitGroup
	for i, node := range m.Cluster.NodeNames() {
		if have[node] == want {
			continue
		}
		wg.Go(func() {
			_, errs[i] = m.Engine.Change(ctx, state.Act{Verb: "docker exec", Object: node, Addr: m.Addr(), Detail: "write " + hostsFile},
				strings.NewReader(want), "exec", "-i", node, "sh", "-c", script)
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("telling the nodes of the mirror: %w", err)
		}
	}
	return nil
}

// hostsDir is where containerd looks for the mirrors of Docker Hub.
// https://github.com/containerd/containerd/blob/main/docs/hosts.md
const hostsDir = "/etc/containerd/certs.d/docker.io"
const hostsFile = hostsDir + "/hosts.toml"

func (m *Mirror) hosts(closed bool) string {
	url := "http://" + m.container() + ":" + port
	text := fmt.Sprintf("[host.%q]\n  capabilities = [\"pull\", \"resolve\"]\n", url)
	if closed {
		// Without a server, containerd falls back to Docker Hub; where that cannot be reached, every
		// missing image would read "no such host" instead of "not found".
		text = fmt.Sprintf("server = %q\n\n", url) + text
	}
	return text
}

// closed tells whether Docker Hub is out of the nodes' reach: always where stand-ins are in use,
// else when its name cannot be resolved.
func (m *Mirror) closed(ctx context.Context) bool {
	if len(m.standIns) > 0 {
		return true
	}
	_, err := m.Engine.Output(ctx, "exec", m.Cluster.NodeNames()[0], "getent", "hosts", "registry-1.docker.io")
	return err != nil
}

// readHosts reads every node's hosts.toml; what cannot be read is empty.
func (m *Mirror) readHosts(ctx context.Context) map[string]string {
	nodes := m.Cluster.NodeNames()
	texts := make([]string, len(nodes))
	var wg sync.WaitGroup
	for i, node := range nodes {
		wg.Go(func() { texts[i], _ = m.Engine.Output(ctx, "exec", node, "cat", hostsFile) })
	}
	wg.Wait()
	have := map[string]string{}
	for i, node := range nodes {
		have[node] = texts[i]
	}
	return have
}

// Destroy implements provision.Resource. The cache volume stays.
func (m *Mirror) Destroy(ctx context.Context, sink event.Sink) error {
	found, err := m.Engine.Named(ctx, m.container())
	if err != nil {
		return fault.New(fault.Unknown, "%w", err).WithNext("Start the Docker engine and run the same command again.")
	}
	ours := slices.DeleteFunc(found, func(c docker.Container) bool { return !m.Marks.On(c.Labels) })
	if len(ours) > 0 {
		sink.Emit(event.Progress{Addr: m.Addr(), Step: "removing " + m.container()})
	}
	if err := m.Engine.Remove(ctx, m.Addr(), ours...); err != nil {
		return err
	}
	if err := m.removeFiller(ctx); err != nil {
		return err
	}
	if err := m.dropTags(ctx); err != nil {
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
		if m.Marks.On(c.Labels) {
			return fault.New(fault.Leftover, "container %s is still there", c.Name).WithNext("Run `labctl down %s` again.", m.Marks.Lab)
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
