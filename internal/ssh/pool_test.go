//go:build e2e

package ssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/command"
)

// The limit of 10 sessions is sshd's own default.
func TestParallel(t *testing.T) {
	s := startServer(t)
	c := s.dial(t)
	var mu sync.Mutex
	var times []time.Duration
	var wg sync.WaitGroup
	begin := time.Now()
	for i := range 30 {
		wg.Go(func() {
			for j := range 4 {
				start := time.Now()
				want := fmt.Sprintf("%d/%d\n", i, j)
				var out bytes.Buffer
				err := c.Run(background(t, time.Minute), command.Command{Argv: []string{"sh", "-c", "cat; sleep 0.05"}, Stdin: strings.NewReader(want), Stdout: &out})
				if err != nil || out.String() != want {
					t.Errorf("%q, %v", &out, err)
				}
				mu.Lock()
				times = append(times, time.Since(start))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	t.Logf("120 commands by 30 goroutines in %s, slowest %s", time.Since(begin).Round(time.Millisecond), slices.Max(times).Round(time.Millisecond))
	if n := strings.Count(s.log.String(), "Accepted publickey"); n != 1 {
		t.Errorf("%d SSH connections were made", n)
	}
}

// Whoever waits for a session can give up.
func TestWaitingEndsWithItsContext(t *testing.T) {
	c := startServer(t).dial(t)
	work, release := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var running sync.WaitGroup
	running.Add(maxShells)
	for range maxShells {
		wg.Go(func() {
			err := c.Run(work, command.Command{Argv: []string{"sh", "-c", "echo; exec sleep 1000"}, Stdout: onFirst(running.Done)})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("ended with %v", err)
			}
		})
	}
	running.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := c.Run(ctx, command.Command{Argv: []string{"true"}})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "not run") || errors.Is(err, ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
	release()
	wg.Wait()
	run(t, c, "true")
}

// onFirst returns a writer that calls f at the first byte.
func onFirst(f func()) io.Writer { return &firstByte{f: sync.OnceFunc(f)} }

type firstByte struct{ f func() }

func (w *firstByte) Write(b []byte) (int, error) {
	w.f()
	return len(b), nil
}

// A session in which a command was to run and did not is no success.
func TestSpareShellThatDied(t *testing.T) {
	c := startServer(t).dial(t)
	run(t, c, "true")
	eventually(t, 10*time.Second, "spare shells", func() bool {
		c.shells.mu.Lock()
		defer c.shells.mu.Unlock()
		return len(c.shells.ready) == spareShells
	})
	for range spareShells {
		c.shells.mu.Lock()
		group := c.shells.ready[0].group
		c.shells.mu.Unlock()
		if p, err := os.FindProcess(group); err != nil || p.Kill() != nil {
			t.Fatalf("killing %d: %v", group, err)
		}
		eventually(t, 10*time.Second, "a dead spare shell to be noticed", func() bool {
			c.shells.mu.Lock()
			defer c.shells.mu.Unlock()
			return len(c.shells.ready) == 0 || c.shells.ready[0].group != group
		})
	}
	if got := run(t, c, "echo", "here"); got != "here\n" {
		t.Errorf("got %q", got)
	}
}
