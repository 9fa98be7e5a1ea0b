package ssh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	xssh "golang.org/x/crypto/ssh"
)

// ErrLost is wrapped by all errors that are due to a connection that ended without Close.
var ErrLost = errors.New("connection lost")

// Conn is one connection to a host. It is safe for concurrent use. It implements command.Runner.
type Conn struct {
	target *target
	wire   *meter
	mux    xssh.Conn
	shells *pool
	reaper *reaper

	ended    chan struct{} // closed when the connection is over
	ending   sync.Once
	cause    error // why it is over; written before ended is closed
	watchers sync.WaitGroup
}

func newConn(t *target, wire *meter, mux xssh.Conn, channels <-chan xssh.NewChannel, requests <-chan *xssh.Request) *Conn {
	c := &Conn{target: t, wire: wire, mux: mux, ended: make(chan struct{})}
	c.shells = &pool{conn: c}
	c.reaper = &reaper{conn: c, running: map[int]bool{}, wake: make(chan struct{}, 1)}
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

func (c *Conn) over() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// why returns the reason for err: a connection that is over explains whatever else failed with it.
func (c *Conn) why(err error) error {
	if c.wire.failed.Load() {
		// The library tells everybody else first, with an error that says less.
		<-c.ended
	}
	if c.over() {
		return c.cause
	}
	return err
}

// waitFor waits for a channel, ctx or the connection's end.
func (c *Conn) waitFor(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.ended:
		return c.cause
	}
}
