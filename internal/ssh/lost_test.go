//go:build e2e

package ssh

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
)

func argv(words ...string) command.Command { return command.Command{Argv: words} }

// busy starts a command of each sort and returns when all of them run; their errors come on the channel.
func busy(t *testing.T, c *Conn) (results <-chan error, count int) {
	t.Helper()
	var started sync.WaitGroup
	commands := []command.Command{
		{Argv: []string{"sh", "-c", "echo; exec sleep 1000"}},
		{Argv: []string{"sh", "-c", "while echo; do sleep 0.01; done"}},
		{Argv: []string{"sh", "-c", "echo; exec cat >/dev/null"}, Stdin: zeros{}},
	}
	done := make(chan error, len(commands))
	for _, cmd := range commands {
		started.Add(1)
		cmd.Stdout = onFirst(started.Done)
		go func() { done <- c.Run(t.Context(), cmd) }()
	}
	started.Wait()
	return done, len(commands)
}

// zeros never ends, so that what it is sent through is full.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestBlackHoleIsFoundWithinTheDeadline(t *testing.T) {
	s := startServer(t)
	p := startProxy(t, s.address, 0)
	const deadline = 3 * time.Second
	c := s.dial(t, p.use, func(cfg *Config) { cfg.Keepalive = Keepalive{Interval: 500 * time.Millisecond, Deadline: deadline} })
	done, count := busy(t, c)
	stream, err := c.DialContext(t.Context(), "tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	// sshd's greeting: the stream works.
	if _, err := io.ReadFull(stream, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	p.hold(t)
	begin := time.Now()
	for range count {
		select {
		case err := <-done:
			if !errors.Is(err, ErrUnknownOutcome) || !errors.Is(err, ErrLost) || clierr.ClassOf(err) != clierr.Inconclusive || !strings.Contains(err.Error(), "nothing was heard") {
				t.Errorf("got %v", err)
			}
		case <-time.After(deadline + 10*time.Second):
			t.Fatal("a command hangs")
		}
	}
	took := time.Since(begin)
	// What is beyond the deadline is for a machine that has other things to do as well.
	if took < deadline/2 || took > deadline+2*time.Second {
		t.Errorf("found after %s, the deadline is %s", took, deadline)
	}
	t.Logf("found after %s of at most %s", took.Round(time.Millisecond), deadline)
	if _, err := io.ReadAll(stream); !errors.Is(err, ErrLost) {
		t.Errorf("the stream ends with %v", err)
	}
	if <-c.Done(); !errors.Is(c.cause, ErrLost) {
		t.Errorf("it was ended by %v", c.cause)
	}
	if err := c.Run(t.Context(), argv("true")); !errors.Is(err, ErrLost) || errors.Is(err, ErrUnknownOutcome) {
		t.Errorf("a command that was begun afterwards: %v", err)
	}
	if _, err := c.DialContext(t.Context(), "tcp", s.address); !errors.Is(err, ErrLost) {
		t.Errorf("a dial afterwards: %v", err)
	}
}

// A connection on which nothing happens, or on which much does, is alive.
func TestKeepaliveLeavesTheLivingAlone(t *testing.T) {
	s := startServer(t)
	p := startProxy(t, s.address, 100*time.Millisecond)
	c := s.dial(t, p.use, func(cfg *Config) {
		cfg.Keepalive = Keepalive{Interval: 300 * time.Millisecond, Deadline: 3 * time.Second}
	})
	select {
	case <-c.Done():
		t.Fatalf("an idle connection was ended: %v", c.cause)
	case <-time.After(5 * time.Second):
	}
	run(t, c, "true")
}

func TestCutConnection(t *testing.T) {
	s := startServer(t)
	p := startProxy(t, s.address, 0)
	c := s.dial(t, p.use)
	done, count := busy(t, c)
	p.cut()
	for range count {
		err := <-done
		var unknown *UnknownError
		if !errors.As(err, &unknown) || !errors.Is(err, ErrLost) || !unknown.Started {
			t.Errorf("got %v", err)
		}
	}
	if <-c.Done(); !errors.Is(c.cause, ErrLost) {
		t.Errorf("it was ended by %v", c.cause)
	}
}

// A ctx that ends while the network is a black hole: Run does not wait for it, and does not pretend to know.
func TestCancelInABlackHole(t *testing.T) {
	s := startServer(t)
	p := startProxy(t, s.address, 0)
	c := s.dial(t, p.use, func(cfg *Config) { cfg.Keepalive = Keepalive{Deadline: time.Hour} })
	ctx, cancel := context.WithCancel(t.Context())
	started, done := make(chan string, 1), make(chan error, 1)
	go func() {
		done <- c.Run(ctx, command.Command{Argv: []string{"sh", "-c", "echo; exec cat >/dev/null"}, Stdin: zeros{}, Stdout: firstLine(started)})
	}()
	<-started
	p.hold(t)
	cancel()
	var err error
	took := within(t, stopGrace+stopTimeout+3*linger, "giving up", func() { err = <-done })
	if !errors.Is(err, context.Canceled) || !errors.Is(err, ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
	t.Logf("gave up after %s: %v", took.Round(time.Millisecond), err)
	c.Close()
}

func TestClose(t *testing.T) {
	c := startServer(t).dial(t)
	done, count := busy(t, c)
	within(t, 10*time.Second, "Close", func() {
		if err := errors.Join(c.Close(), c.Close()); err != nil {
			t.Error(err)
		}
	})
	for range count {
		if err := <-done; !errors.Is(err, ErrUnknownOutcome) {
			t.Errorf("got %v", err)
		}
	}
	if <-c.Done(); !errors.Is(c.cause, net.ErrClosed) || errors.Is(c.cause, ErrLost) {
		t.Errorf("it was ended by %v", c.cause)
	}
}
