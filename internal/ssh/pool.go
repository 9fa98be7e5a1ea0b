package ssh

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

const (
	// maxShells bounds the sessions for commands. sshd allows 10 per connection (MaxSessions); one more is
	// the reaper's, and one is left free because sshd counts a session for a while after it is over.
	maxShells = 8
	// spareShells are started before they are asked for. Starting one takes two round trips and a command
	// in a started one takes one, so that three keep up with commands that follow one another at once.
	spareShells = 3
)

// pool hands out started shells, at most maxShells at a time, in the order in which they are asked for.
type pool struct {
	conn *Conn

	mu       sync.Mutex
	total    int // starting, ready and running
	starting int
	ready    []*shell
	waiting  []chan started
}

// started is a shell, or why there is none.
type started struct {
	shell *shell
	err   error
}

// take returns a shell for one command. It waits for room with ctx.
func (p *pool) take(ctx context.Context) (*shell, error) {
	p.mu.Lock()
	for len(p.ready) > 0 {
		s := p.ready[0]
		p.ready = p.ready[1:]
		if s.alive() {
			p.fill(spareShells)
			p.mu.Unlock()
			return s, nil
		}
	}
	turn := make(chan started, 1)
	p.waiting = append(p.waiting, turn)
	p.fill(spareShells)
	p.mu.Unlock()

	select {
	case got := <-turn:
		return got.shell, got.err
	case <-ctx.Done():
		p.leave(turn)
		return nil, fmt.Errorf("waiting for one of %d sessions on %s: %w", maxShells, p.conn, context.Cause(ctx))
	case <-p.conn.ended:
		p.leave(turn)
		return nil, p.conn.cause
	}
}

// leave gives up a place in the queue; a shell that was handed over in the same moment goes back.
func (p *pool) leave(turn chan started) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = slices.DeleteFunc(p.waiting, func(c chan started) bool { return c == turn })
	select {
	case got := <-turn:
		if got.shell != nil {
			p.give(got)
		}
	default:
	}
}

// give hands a shell or an error to the first who waits. p.mu is held.
func (p *pool) give(got started) {
	switch {
	case len(p.waiting) > 0:
		p.waiting[0] <- got
		p.waiting = p.waiting[1:]
	case got.shell != nil:
		p.ready = append(p.ready, got.shell)
	}
}

// fill starts as many shells as are waited for, and some spare ones, as far as there is room. p.mu is held.
func (p *pool) fill(spare int) {
	for p.starting+len(p.ready) < len(p.waiting)+spare && p.total < maxShells {
		p.total++
		p.starting++
		go p.start()
	}
}

func (p *pool) start() {
	s, err := p.conn.startShell(commandScript)
	p.mu.Lock()
	p.starting--
	p.give(started{s, err})
	p.mu.Unlock()
	if s != nil {
		<-s.ended
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total--
	p.ready = slices.DeleteFunc(p.ready, func(r *shell) bool { return r == s })
	// No spare ones here: a host that ends them as fast as they start would be kept busy with it.
	p.fill(0)
}
