package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// line is a TCP proxy that makes what is behind it as far away as it is told: everything arrives later by
// half a round trip, in each direction, and as much as before is under way at a time. It counts the
// connections. It is safe for concurrent use.
type line struct {
	listener net.Listener
	to       atomic.Pointer[string] // address and port of what is behind it
	delay    atomic.Int64           // of one direction, for connections that are made from now on
	accepted atomic.Int64
	running  sync.WaitGroup
	close    context.CancelFunc
}

// openLine listens at an address of the loopback. Until lead is called, callers are hung up on.
func openLine(address string) (*line, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening in front of the host's sshd: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &line{listener: listener, close: cancel}
	l.running.Go(func() { l.accept(ctx) })
	return l, nil
}

// lead sets what is behind the line.
func (l *line) lead(to string) { l.to.Store(&to) }

// away sets the round trip of connections that are made from now on.
func (l *line) away(roundTrip time.Duration) { l.delay.Store(int64(roundTrip / 2)) }

// taken returns how many connections were made since it was asked last.
func (l *line) taken() int { return int(l.accepted.Swap(0)) }

// Close hangs up on everybody and returns when nothing of the line runs.
func (l *line) Close() {
	l.close()
	_ = l.listener.Close()
	l.running.Wait()
}

func (l *line) accept(ctx context.Context) {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return // closed
		}
		l.accepted.Add(1)
		delay := time.Duration(l.delay.Load())
		l.running.Go(func() { l.join(ctx, near, delay) })
	}
}

// join passes bytes between a caller and what is behind the line until both have ended, or one has failed.
func (l *line) join(ctx context.Context, near net.Conn, delay time.Duration) {
	defer near.Close()
	to := l.to.Load()
	if to == nil || !pause(ctx, 2*delay) { // a TCP connection takes a round trip to make
		return
	}
	far, err := new(net.Dialer).DialContext(ctx, "tcp", *to)
	if err != nil {
		return
	}
	defer far.Close()
	defer context.AfterFunc(ctx, func() { _ = near.Close(); _ = far.Close() })()
	var both sync.WaitGroup
	for _, way := range []struct{ from, to net.Conn }{{near, far}, {far, near}} {
		both.Go(func() {
			if err := pass(ctx, way.to, way.from, delay); err != nil {
				_ = near.Close()
				_ = far.Close()
			}
		})
	}
	both.Wait()
}

// parcel is what was read at one time.
type parcel struct {
	data []byte
	due  time.Time
}

// underWay is how many parcels may be, in one direction: 128 MiB, more than any path holds.
const underWay = 4096

// pass copies from one connection to the other, each byte later by delay, and passes on the end. It returns
// nil when the end was passed on.
func pass(ctx context.Context, to, from net.Conn, delay time.Duration) error {
	parcels := make(chan parcel, underWay)
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer close(parcels)
		for {
			data := make([]byte, 32<<10)
			n, err := from.Read(data)
			if n > 0 {
				select {
				case parcels <- parcel{data[:n], time.Now().Add(delay)}:
				case <-ctx.Done():
					ended <- context.Cause(ctx)
					return
				}
			}
			if err != nil {
				ended <- err
				return
			}
		}
	}()
	for p := range parcels {
		if !pause(ctx, time.Until(p.due)) {
			return context.Cause(ctx)
		}
		if _, err := to.Write(p.data); err != nil {
			return err
		}
	}
	if err := <-ended; !errors.Is(err, io.EOF) {
		return err
	}
	if half, ok := to.(*net.TCPConn); ok && pause(ctx, delay) {
		return half.CloseWrite()
	}
	return io.ErrUnexpectedEOF
}

// pause waits, and says whether it came to the end of it.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
