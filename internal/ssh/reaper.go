package ssh

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// reaper is the one process on the host that knows which commands run and can signal them: sshd itself
// leaves commands running when their connection breaks, and not every sshd passes on signals. Closing
// its stdin, which a broken connection does, makes it end what still runs.
type reaper struct {
	conn *Conn
	wake chan struct{} // there is something to write

	mu      sync.Mutex
	running map[int]bool
	queue   []byte
	shell   *shell // nil: none, or it has ended
	coming  chan struct{}
	err     error // why the last start failed
}

// ready returns when a reaper is there; it starts one if need be.
func (g *reaper) ready(ctx context.Context) error {
	coming := g.start()
	if coming == nil {
		return nil
	}
	if err := g.conn.waitFor(ctx, coming); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// start begins to start a reaper, unless one is there (nil) or on its way.
func (g *reaper) start() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shell != nil {
		return nil
	}
	if g.coming == nil {
		g.coming = make(chan struct{})
		go g.run()
	}
	return g.coming
}

// run starts a reaper and writes to it until it ends.
func (g *reaper) run() {
	s, err := g.conn.startShell(reaperScript)
	g.mu.Lock()
	g.shell, g.err = s, err
	close(g.coming)
	g.coming = nil
	// What was queued was for one that is gone. This one has to know of everything that runs.
	g.queue = nil
	for group := range g.running {
		g.say("+", group)
	}
	g.mu.Unlock()
	if err != nil {
		return
	}
	for {
		select {
		case <-g.wake:
			g.mu.Lock()
			lines := g.queue
			g.queue = nil
			g.mu.Unlock()
			if _, err := s.channel.Write(lines); err == nil {
				continue
			}
			go s.channel.Close()
			<-s.ended
		case <-s.ended:
		}
		g.mu.Lock()
		g.shell, g.err = nil, errors.New("the process that watches over commands has ended")
		g.mu.Unlock()
		return
	}
}

// say queues a line for the reaper. g.mu is held.
func (g *reaper) say(verb string, group int) {
	g.queue = fmt.Appendf(g.queue, "%s %d\n", verb, group)
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

func (g *reaper) add(group int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running[group] = true
	g.say("+", group)
}

func (g *reaper) remove(group int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.running, group)
	g.say("-", group)
}

// signal sends a signal ("TERM") to a process group. It says whether there is a reaper to do it, and
// does not wait for it.
func (g *reaper) signal(group int, name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shell == nil {
		return false
	}
	g.say(name, group)
	return true
}
