package state

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/clierr"
)

func TestLockSaysWhoHoldsIt(t *testing.T) {
	lab := testLab(t)
	h := start(t, lab.home.Dir, "hold")
	if got := h.line(t); got != "locked" {
		t.Fatal(got)
	}
	lab.grace = time.Hour // for a holder that ends; one that runs is not waited for
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err := lab.Lock(ctx, Holder{User: "bob", Host: "here", Command: "labctl down"})
	if clierr.ClassOf(err) != clierr.Refused || ctx.Err() != nil {
		t.Fatalf("Lock: %v; want a refusal at once", err)
	}
	for _, part := range []string{"demo", "ann@here", strconv.Itoa(h.Process.Pid), "labctl up day10.hcl", "since 20"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	// From another machine that shares the directory, nothing is known of a process id.
	if _, err := lab.Lock(t.Context(), Holder{Host: "there"}); clierr.ClassOf(err) != clierr.Refused {
		t.Errorf("Lock from another machine: %v; want a refusal", err)
	}
}

func TestKilledHoldersLockIsRecovered(t *testing.T) {
	lab := testLab(t)
	h := start(t, lab.home.Dir, "hold")
	h.line(t)
	h.kill(t)
	lock, err := lab.Lock(t.Context(), Holder{Host: "here", Command: "labctl down"})
	if err != nil {
		t.Fatalf("Lock after the holder was killed: %v", err)
	}
	defer lock.Release()
	// The next one is told of the new holder, not of the dead one with the longer name.
	_, err = lab.Lock(t.Context(), Holder{Host: "here"})
	if err == nil || !strings.Contains(err.Error(), `"labctl down"`) || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("Lock: %v; want a refusal that names this process", err)
	}
}

func TestChildKeepsTheLock(t *testing.T) {
	lab := testLab(t)
	lab.grace = 100 * time.Millisecond
	h := start(t, lab.home.Dir, "hold-child")
	child, err := strconv.Atoi(h.line(t))
	if err != nil {
		t.Fatal(err)
	}
	h.kill(t)
	_, err = lab.Lock(t.Context(), Holder{Host: "here"})
	if clierr.ClassOf(err) != clierr.Refused || !strings.Contains(clierr.NextOf(err), "something that it started") {
		t.Fatalf("Lock while the dead holder's child runs: %v (%s); want a refusal that says so", err, clierr.NextOf(err))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	lab.grace = time.Minute
	if _, err := lab.Lock(ctx, Holder{Host: "here"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Lock with a context that is over: %v", err)
	}
	// Lock waits while the child ends.
	got := make(chan error, 1)
	go func() {
		lock, err := lab.Lock(t.Context(), Holder{Host: "here"})
		if err == nil {
			lock.Release()
		}
		got <- err
	}()
	select {
	case err := <-got:
		t.Fatalf("Lock did not wait for the child: %v", err)
	case <-time.After(5 * lockPoll):
	}
	if err := syscall.Kill(child, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Errorf("Lock after the child's end: %v", err)
	}
}

func TestReleaseLeavesTheChildItsLock(t *testing.T) {
	lab := testLab(t)
	lock, err := lab.Lock(t.Context(), Holder{Host: "here", Command: "labctl up"})
	if err != nil {
		t.Fatal(err)
	}
	// What a child has after fork and exec: another descriptor of the same open file.
	child, err := syscall.Dup(int(lock.File().Fd()))
	if err != nil {
		t.Fatal(err)
	}
	lock.Release()
	if _, err := lab.Lock(t.Context(), Holder{Host: "here"}); clierr.ClassOf(err) != clierr.Refused {
		t.Errorf("Lock while a child has it: %v; want a refusal", err)
	}
	syscall.Close(child)
	next, err := lab.Lock(t.Context(), Holder{Host: "here"})
	if err != nil {
		t.Fatalf("Lock after the child: %v", err)
	}
	next.Release()
	if _, err := os.Stat(lab.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a lock that was taken and released left %s", lab.Dir())
	}
}

func TestOneHolderAtATime(t *testing.T) {
	lab := testLab(t)
	var inside, most, taken int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				// Releasing removes the directory, so this also races making it against removing it.
				lock, err := lab.Lock(t.Context(), Holder{Host: "here"})
				if err != nil {
					if clierr.ClassOf(err) != clierr.Refused {
						t.Errorf("Lock: %v", err)
						return
					}
					continue
				}
				mu.Lock()
				inside++
				taken++
				most = max(most, inside)
				mu.Unlock()
				// Long enough for another to open the file that Release then removes.
				time.Sleep(20 * time.Microsecond)
				mu.Lock()
				inside--
				mu.Unlock()
				lock.Release()
			}
		})
	}
	wg.Wait()
	if most != 1 || taken == 0 {
		t.Errorf("%d held the lock at once (it was taken %d times); want 1", most, taken)
	}
}
