package state

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/clierr"
)

// Below /proc whatever is made is not there; so it is on some network mounts.
func TestLockWhereNothingCanBeMade(t *testing.T) {
	lab := Home{Dir: "/proc/none/home"}.Lab("demo")
	done := make(chan error, 1)
	go func() { _, err := lab.Lock(t.Context(), Holder{}); done <- err }()
	select {
	case err := <-done:
		if clierr.ClassOf(err) != clierr.Refused || !strings.Contains(err.Error(), "no such file") || clierr.NextOf(err) == "" {
			t.Errorf("%v, want a refusal with what was seen last and a cure", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it still tries")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	boom := errors.New("Ctrl-C")
	cancel(boom)
	if _, err := lab.Lock(ctx, Holder{}); !errors.Is(err, boom) {
		t.Errorf("%v, want the caller's end", err)
	}
}

// A labctl that is stopped in the middle of a record holds nobody up for ever.
func TestLockedJournalIsSaidToBe(t *testing.T) {
	lab := testLab(t)
	journal, err := lab.OpenJournal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Begin(Act{Verb: "docker run", Object: "x"}); err != nil {
		t.Fatal(err)
	}
	other, err := os.Open(lab.Path(JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := syscall.Flock(int(other.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(lab.Path(JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	began := time.Now()
	if err := flockWithin(f, syscall.LOCK_SH, 50*time.Millisecond); err == nil || !strings.Contains(err.Error(), JournalFile) {
		t.Errorf("%v, want what is locked", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	go func() {
		time.Sleep(20 * time.Millisecond)
		_ = syscall.Flock(int(other.Fd()), syscall.LOCK_UN)
	}()
	if _, err := journal.Records(); err != nil {
		t.Errorf("when the other is done: %v", err)
	}
}
