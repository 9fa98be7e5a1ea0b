package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Forward accepts connections on a local listener and carries each to an address as the host sees it
// (see DialContext), until ctx ends. It owns the listener, and returns when all connections are closed:
// nil when ctx ended, else why it could not go on. A single connection that fails ends nothing; failed is
// told of it, on any goroutine, if it is not nil.
func (c *Conn) Forward(ctx context.Context, local net.Listener, network, address string, failed func(error)) error {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	if failed == nil {
		failed = func(error) {}
	}
	unhook := context.AfterFunc(ctx, func() { local.Close() })
	defer unhook()
	defer local.Close()
	all.Go(func() {
		if c.waitFor(ctx, nil) != nil {
			local.Close()
		}
	})
	for {
		near, err := local.Accept()
		if err != nil {
			switch {
			case ctx.Err() != nil:
				return nil
			case c.over():
				return fmt.Errorf("forwarding %s to %s: %w", local.Addr(), address, c.cause)
			}
			return fmt.Errorf("forwarding %s to %s: %w", local.Addr(), address, err)
		}
		all.Go(func() {
			if err := c.carry(ctx, near, network, address); err != nil && ctx.Err() == nil {
				failed(err)
			}
		})
	}
}

// carry copies between a local connection and one from the host, each direction to its own end.
func (c *Conn) carry(ctx context.Context, near net.Conn, network, address string) error {
	defer near.Close()
	far, err := c.DialContext(ctx, network, address)
	if err != nil {
		return err
	}
	defer far.Close()
	unhook := context.AfterFunc(ctx, func() { near.Close(); far.Close() })
	defer unhook()
	there := make(chan error, 1)
	go func() { there <- pass(far, near) }()
	return errors.Join(pass(near, far), <-there)
}

// pass copies until from ends and tells to so. On an error both are closed, so that the other direction
// ends as well.
func pass(to, from net.Conn) error {
	_, err := io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		half.CloseWrite()
		return nil
	}
	to.Close()
	if err != nil {
		from.Close()
	}
	if errors.Is(err, net.ErrClosed) {
		return nil // closed by the other direction, which says why
	}
	return err
}
