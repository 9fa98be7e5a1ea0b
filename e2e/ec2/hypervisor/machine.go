package hypervisor

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// machine is the container of one instance. One goroutine does everything that changes it.
type machine struct {
	id    string
	host  *Hypervisor
	cloud *cloud

	wake    chan struct{}
	reboots chan chan error
	ended   chan ending // of the container's present run

	mu      sync.Mutex
	wanted  instance
	settled time.Time // what was seen of the instance before is not true any more
	state   string    // absent, running, stopped
	address netip.Addr
	boots   int
	err     error
	kept    string // the console of a machine that is gone
}

// ending is the end of one run of a container.
type ending struct {
	boot int
	code string
	err  error
}

// The states of a machine.
const (
	absent  = "absent"
	running = "running"
	stopped = "stopped"
)

func newMachine(h *Hypervisor, c *cloud, i instance) *machine {
	return &machine{id: i.ID, host: h, cloud: c, wake: make(chan struct{}, 1), reboots: make(chan chan error), ended: make(chan ending, 1), state: absent}
}

// want says what the API has shown of the instance since a time.
func (m *machine) want(i instance, since time.Time) {
	m.mu.Lock()
	changed := m.wanted != i && !since.Before(m.settled)
	if changed {
		m.wanted = i
	}
	m.mu.Unlock()
	if changed {
		m.poke()
	}
}

func (m *machine) poke() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

func (m *machine) now() (wanted instance, state string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.wanted, m.state
}

func (m *machine) status() Machine {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Machine{Instance: m.id, Region: m.cloud.region, State: m.state, Address: m.address, Boots: m.boots, Err: m.err}
}

func (m *machine) became(state string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state = state
}

// run converges until the instance is gone or ctx ends. A machine that cannot be made is terminated, as AWS
// does with one for which there is no room after all.
func (m *machine) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.wake:
		case e := <-m.ended:
			m.fail(ctx, "telling that it has ended", m.poweredOff(ctx, e))
			continue
		case done := <-m.reboots:
			done <- m.again(ctx)
			continue
		}
		wanted, state := m.now()
		switch {
		case wanted.gone():
			m.fail(ctx, "removing it", m.remove(ctx))
			return
		case wanted.on() && state == absent:
			if err := m.boot(ctx, wanted); m.fail(ctx, "booting it", err) {
				m.fail(ctx, "terminating it", m.cloud.terminate(ctx, m.id))
			}
		case wanted.on() && state == stopped:
			m.fail(ctx, "starting it", m.start(ctx, wanted))
		case wanted.on() && wanted.Public != m.status().Address:
			// It was stopped and started again between two looks.
			m.fail(ctx, "restarting it", m.again(ctx))
		case !wanted.on() && state == running:
			m.fail(ctx, "stopping it", m.stop(ctx))
		}
	}
}

// fail notes an error and tells whether there was one.
func (m *machine) fail(ctx context.Context, doing string, err error) bool {
	if err == nil || ctx.Err() != nil {
		return err != nil
	}
	err = fmt.Errorf("%s: %w", doing, err)
	m.host.config.Log("hypervisor: %s: %v", m.id, err)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
	return true
}

// boot makes the machine and switches it on.
func (m *machine) boot(ctx context.Context, i instance) error {
	began := time.Now()
	data, err := m.cloud.userData(ctx, m.id)
	if err != nil {
		return err
	}
	if err := m.host.makeDisk(ctx, m.id); err != nil {
		return err
	}
	if err := m.host.create(ctx, m.cloud.region, i, data); err != nil {
		return err
	}
	if err := m.start(ctx, i); err != nil {
		return err
	}
	m.host.config.Log("hypervisor: %s is switched on at %s after %s", m.id, i.Public, time.Since(began).Round(time.Millisecond))
	return nil
}

// start switches the machine on, at the address that the instance has now, and watches for its end.
func (m *machine) start(ctx context.Context, i instance) error {
	name := containerName(m.id)
	m.mu.Lock()
	address, boots := m.address, m.boots+1
	m.mu.Unlock()
	if boots > 1 && address != i.Public {
		if err := m.host.engine.move(ctx, name, i.Public); err != nil {
			return err
		}
	}
	if _, err := m.host.engine.run(ctx, nil, "start", name); err != nil {
		return err
	}
	m.mu.Lock()
	m.address, m.boots, m.state = i.Public, boots, running
	m.mu.Unlock()
	m.host.running.Go(func() {
		code, err := m.host.engine.run(ctx, nil, "wait", name)
		e := ending{boots, strings.TrimSpace(code), err}
		select {
		case m.ended <- e:
		case <-ctx.Done():
		}
	})
	return nil
}

// stop switches the machine off, as ACPI would: systemd has time to end what runs.
func (m *machine) stop(ctx context.Context) error {
	if err := m.off(ctx); err != nil {
		return err
	}
	m.became(stopped)
	return nil
}

// off returns when the machine has ended.
func (m *machine) off(ctx context.Context) error {
	if _, err := m.host.engine.run(ctx, nil, "stop", "--time", "30", containerName(m.id)); err != nil {
		return err
	}
	select {
	case <-m.ended: // asked for, so that nobody need be told
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// again boots a running machine again.
func (m *machine) again(ctx context.Context) error {
	wanted, state := m.now()
	if state != running {
		return fmt.Errorf("rebooting %s: it is %s", m.id, state)
	}
	if err := m.off(ctx); err != nil {
		return err
	}
	return m.start(ctx, wanted)
}

func (m *machine) reboot(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case m.reboots <- done:
		return <-done
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// restarted is how a container ends whose init has called reboot(2) to start again: by SIGHUP. Switched off
// it ends by SIGINT (reboot(2), "Behavior inside PID namespaces").
const restarted = "129"

// poweredOff handles the end of a machine that nobody here has asked for.
func (m *machine) poweredOff(ctx context.Context, e ending) error {
	if e.err != nil {
		return e.err
	}
	wanted, _ := m.now()
	m.became(stopped)
	defer m.poke()
	if e.code == restarted && wanted.on() {
		m.host.config.Log("hypervisor: %s boots again by itself", m.id)
		return m.start(ctx, wanted)
	}
	if !wanted.on() {
		return nil
	}
	became, err := m.cloud.poweredOff(ctx, m.id)
	m.host.config.Log("hypervisor: %s has switched itself off (exit %s) and is %s", m.id, e.code, became)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settled, m.wanted.State = time.Now(), became
	return nil
}

// remove ends the machine and its disk; its console is kept.
func (m *machine) remove(ctx context.Context) error {
	console := m.console()
	m.mu.Lock()
	m.kept = console
	m.mu.Unlock()
	if err := m.host.engine.remove(ctx, m.id); err != nil {
		return err
	}
	m.became(absent)
	return nil
}

// console returns the last 64 KiB that the machine has written to its console.
func (m *machine) console() string {
	const most = 64 << 10
	m.mu.Lock()
	kept, boots := m.kept, m.boots
	m.mu.Unlock()
	if kept != "" || boots == 0 {
		return kept
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	text, err := m.host.engine.run(ctx, nil, "logs", containerName(m.id))
	if err != nil {
		m.host.config.Log("hypervisor: the console of %s: %v", m.id, err)
	}
	return text[max(0, len(text)-most):]
}
