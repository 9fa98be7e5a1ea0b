// Package hypervisor boots what moto_server only pretends to run. For each instance that the EC2 API shows
// it runs a container that stands in for a freshly booted Debian machine: systemd, cloud-init with the
// instance's own user-data, sshd at the instance's public address, and a Docker engine. It follows stop,
// start and terminate, and when a machine switches itself off it tells the API, as AWS does.
//
// It takes the API for the truth and changes nothing in it but that. It needs a Linux engine on this
// machine that runs privileged containers, and the images of e2e/ec2/host.
//
// moto invents public addresses. They are somebody's, so nothing is ever sent to them: a machine answers at
// an address of a private network of its own, which Address derives from the invented one, and a proxy in
// front of the API shows that instead (faultproxy.Options.Address) and takes Console for its console output.
// The machine sees callers come from 172.29.255.254.
// RebootInstances leaves no trace in moto: who wants it obeyed calls Reboot.
package hypervisor

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/labctl/labctl/internal/command"
)

// Address returns where a machine answers whose instance moto shows at a public address: the same last two
// numbers in the machines' own network. What is no address stays as it is.
func Address(public string) string {
	a, err := netip.ParseAddr(public)
	if err != nil || !a.Is4() {
		return public
	}
	four := a.As4()
	return netip.AddrFrom4([4]byte{172, 29, four[2], four[3]}).String()
}

// Config says what a hypervisor serves, and with what.
type Config struct {
	// Endpoint is moto's URL. A proxy that delays what is shown must not stand in between.
	Endpoint string
	// Regions are those in which instances are looked for.
	Regions []string
	// Engine runs docker commands on the engine that the machines run on.
	Engine command.Runner
	// Image is what a machine boots from; "" is DefaultImage. BareImage has no Docker in it.
	Image string
	// Preload names images of the engine that are on the machines' own engines from the start. A machine
	// made from them shares their files with the others, so that a gigabyte costs nothing.
	Preload []string
	// Poll is the pause between two looks at the API; 0 is 200 ms.
	Poll time.Duration
	// Log is told what happens, from any goroutine, until Close returns. It may be nil.
	Log func(format string, args ...any)
}

// The images that e2e/ec2/host/build.sh builds.
const (
	DefaultImage = "labctl/ec2-host:docker"
	BareImage    = "labctl/ec2-host:bare"
)

// ErrUnknown is returned for instances that the hypervisor has not seen.
var ErrUnknown = errors.New("no such instance")

// Hypervisor runs machines. It is safe for concurrent use.
type Hypervisor struct {
	config Config
	clouds []*cloud
	engine engine
	owner  string
	images string // the volume that holds what machines are preloaded with; "" for none

	cancel  context.CancelFunc
	running sync.WaitGroup

	mu       sync.Mutex
	machines map[string]*machine
}

// Start removes what hypervisors of processes that have ended left on the engine, gets ready what machines
// are made of, and begins to look for instances. The first start with a new set of images takes half a
// minute. The hypervisor works until Close; ctx bounds the start alone.
func Start(ctx context.Context, config Config) (*Hypervisor, error) {
	if config.Image == "" {
		config.Image = DefaultImage
	}
	if config.Poll == 0 {
		config.Poll = 200 * time.Millisecond
	}
	if config.Log == nil {
		config.Log = func(string, ...any) {}
	}
	owner, err := self()
	if err != nil {
		return nil, err
	}
	h := &Hypervisor{config: config, engine: engine{config.Engine}, owner: owner, machines: map[string]*machine{}}
	for _, region := range config.Regions {
		h.clouds = append(h.clouds, newCloud(config.Endpoint, region))
	}
	if len(h.clouds) == 0 {
		return nil, errors.New("starting a hypervisor: no region is given")
	}
	if err := Sweep(ctx, config.Engine); err != nil {
		return nil, fmt.Errorf("removing what earlier runs left: %w", err)
	}
	if h.images, err = h.prepareImages(ctx); err != nil {
		return nil, err
	}
	if err := h.engine.ensureNetwork(ctx); err != nil {
		return nil, err
	}
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	h.cancel = cancel
	h.running.Go(func() { h.watch(working) })
	return h, nil
}

// Close ends all machines at once and removes them, their disks and the network. The cache of preloaded
// images stays for the next hypervisor. The API is not told.
func (h *Hypervisor) Close(ctx context.Context) error {
	h.cancel()
	h.running.Wait()
	return h.engine.removeAll(ctx, func(owner string) bool { return owner == h.owner })
}

// watch hands to each machine what the API says of its instance.
func (h *Hypervisor) watch(ctx context.Context) {
	tick := time.NewTicker(h.config.Poll)
	defer tick.Stop()
	for {
		for _, c := range h.clouds {
			began := time.Now()
			seen, err := c.instances(ctx)
			if err != nil {
				if ctx.Err() == nil {
					h.config.Log("hypervisor: looking at %s: %v", c.region, err)
				}
				continue
			}
			h.follow(ctx, c, seen, began)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// follow makes the machines of one region be what was seen there since a time.
func (h *Hypervisor) follow(ctx context.Context, c *cloud, seen map[string]instance, since time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, i := range seen {
		m, known := h.machines[id]
		if !known {
			if i.gone() {
				continue
			}
			m = newMachine(h, c, i)
			h.machines[id] = m
			h.running.Go(func() { m.run(ctx) })
		}
		m.want(i, since)
	}
	for id, m := range h.machines {
		if _, still := seen[id]; !still && m.cloud == c {
			m.want(instance{ID: id, State: "terminated"}, since)
		}
	}
}

func (h *Hypervisor) machine(id string) (*machine, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m, ok := h.machines[id]
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrUnknown, id)
	}
	return m, nil
}

// Console returns what an instance has written to its console, the last 64 KiB of it as AWS keeps them. That
// of an instance that is gone is kept. It is what faultproxy.Options.Console wants.
func (h *Hypervisor) Console(id string) string {
	m, err := h.machine(id)
	if err != nil {
		return ""
	}
	return m.console()
}

// Reboot boots a machine again, as RebootInstances does; moto does not let that be seen.
func (h *Hypervisor) Reboot(ctx context.Context, id string) error {
	m, err := h.machine(id)
	if err != nil {
		return err
	}
	return m.reboot(ctx)
}

// Crash ends a machine at once, as if its power was cut. The API is told, as of any machine that ends by
// itself.
func (h *Hypervisor) Crash(ctx context.Context, id string) error {
	if _, err := h.machine(id); err != nil {
		return err
	}
	_, err := h.engine.run(ctx, nil, "kill", "--signal", "KILL", containerName(id))
	return err
}

// Run runs a command inside a machine, as root and behind the back of everybody who uses SSH.
func (h *Hypervisor) Run(ctx context.Context, id string, command command.Command) error {
	if _, err := h.machine(id); err != nil {
		return err
	}
	argv := []string{"docker", "exec"}
	if command.Stdin != nil {
		argv = append(argv, "-i")
	}
	command.Argv = append(append(argv, containerName(id)), command.Argv...)
	return h.config.Engine.Run(ctx, command)
}

// Machine is what a hypervisor says of one of its machines.
type Machine struct {
	Instance, Region string
	// State is what the machine is really doing: "absent", "running" or "stopped". The API runs ahead of it.
	State string
	// Address is where it answers while it runs: the instance's public address.
	Address netip.Addr
	// Boots is how often it was started.
	Boots int
	// Err is why it could not be made what the API says, last time.
	Err error
}

// Machine returns how a machine is at this moment; ErrUnknown for one that was never seen.
func (h *Hypervisor) Machine(id string) (Machine, error) {
	m, err := h.machine(id)
	if err != nil {
		return Machine{}, err
	}
	return m.status(), nil
}
