package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Forward accepts connections on a local listener and carries each to one that dial makes, until ctx ends.
// It is bound to no connection to the host: dial takes the one that there is at that moment. It owns the
// listener, and returns when all connections are closed: nil when ctx ended, else why it could not go on. A
// single connection that fails ends nothing; failed is told of it, on any goroutine, if it is not nil.
func Forward(ctx context.Context, local net.Listener, dial func(context.Context) (net.Conn, error), failed func(error)) error {
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
	for {
		near, err := local.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("forwarding %s: %w", local.Addr(), err)
		}
		all.Go(func() {
			if err := carry(ctx, near, dial); err != nil && ctx.Err() == nil {
				failed(err)
			}
		})
	}
}

// carry copies between a local connection and one from the host, each direction to its own end.
func carry(ctx context.Context, near net.Conn, dial func(context.Context) (net.Conn, error)) error {
	defer near.Close()
	far, err := dial(ctx)
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
