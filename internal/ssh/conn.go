package ssh

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	xssh "golang.org/x/crypto/ssh"
)

// ErrLost is wrapped by all errors that are due to a connection that ended without Close.
var ErrLost = errors.New("connection lost")

// Conn is one connection to a host. It is safe for concurrent use. It implements docker.Runner.
type Conn struct {
	target *target
	wire   *meter
	mux    xssh.Conn
	shells *pool
	guard  *guard

	ended    chan struct{} // closed when the connection is over
	ending   sync.Once
	cause    error // why it is over; written before ended is closed
	watchers sync.WaitGroup
}

func newConn(t *target, wire *meter, mux xssh.Conn, channels <-chan xssh.NewChannel, requests <-chan *xssh.Request) *Conn {
	c := &Conn{target: t, wire: wire, mux: mux, ended: make(chan struct{})}
	c.shells = &pool{conn: c}
	c.guard = &guard{conn: c, running: map[int]bool{}, wake: make(chan struct{}, 1)}
	c.watchers.Go(func() { xssh.DiscardRequests(requests) })
	c.watchers.Go(func() {
		for ch := range channels {
			// Nothing was asked to be forwarded from there to here.
			ch.Reject(xssh.Prohibited, "not asked for")
		}
	})
	c.watchers.Go(func() {
		err := mux.Wait()
		c.end(fmt.Errorf("%s: %w: %w", t, ErrLost, err))
	})
	c.watchers.Go(c.keepAlive)
	return c
}

// String returns "user@host:port".
func (c *Conn) String() string { return c.target.String() }

// end makes the connection be over. The first cause is the one that counts.
func (c *Conn) end(cause error) {
	c.ending.Do(func() {
		c.cause = cause
		close(c.ended)
		c.wire.Close()
	})
}

// Close ends the connection and returns when everything that belongs to it here has ended. Commands
// that still run end with an unknown outcome; the host is told to end them, see Run. Closing twice is
// no error.
func (c *Conn) Close() error {
	c.end(fmt.Errorf("%s: %w", c, net.ErrClosed))
	c.watchers.Wait()
	return nil
}

// Done returns a channel that is closed when the connection is over.
func (c *Conn) Done() <-chan struct{} { return c.ended }

// Wait returns when the connection is over: nil after Close, else an error that wraps ErrLost.
func (c *Conn) Wait() error {
	<-c.ended
	if errors.Is(c.cause, net.ErrClosed) && !errors.Is(c.cause, ErrLost) {
		return nil
	}
	return c.cause
}

// keepAlive ends a connection that has gone silent. It counts intervals rather than reading a clock, so
// that neither a clock that is set nor a laptop that slept makes a living connection look dead.
func (c *Conn) keepAlive() {
	k := c.target.Keepalive
	// The last byte came up to one interval before the first silent one was counted.
	most := int(k.Deadline/k.Interval) - 1
	tick := time.NewTicker(k.Interval)
	defer tick.Stop()
	answered := make(chan struct{}, 1)
	asked, silent, received := false, 0, c.wire.received.Load()
	for {
		select {
		case <-c.ended:
			return
		case <-answered:
			asked = false
			continue
		case <-tick.C:
		}
		if now := c.wire.received.Load(); now != received {
			received, silent = now, 0
			continue
		}
		if silent++; silent >= most {
			c.end(fmt.Errorf("%s: %w: nothing was heard from the host for %s", c, ErrLost, time.Duration(silent)*k.Interval))
			return
		}
		if asked {
			continue
		}
		asked = true
		// Sending blocks when the network takes nothing any more; end unblocks it.
		c.watchers.Go(func() {
			c.mux.SendRequest("keepalive@openssh.com", true, nil)
			answered <- struct{}{}
		})
	}
}
