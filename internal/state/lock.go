package state

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/plainfile"
)

// lockGrace is how long Lock waits for what a dead holder left running: a child that ends because its
// parent did needs a moment for it.
const lockGrace = 10 * time.Second

// lockPoll is how often Lock looks again meanwhile. flock(2) can wait, but not until a deadline.
const lockPoll = 20 * time.Millisecond

// Holder says who holds a lab's lock, for whoever finds it held.
type Holder struct {
	PID     int       `json:"pid"`
	User    string    `json:"user"`
	Host    string    `json:"host"`
	Command string    `json:"command"` // "labctl up labs/day10.hcl"
	Since   time.Time `json:"since"`
}

// Lock is a held lock. It is released by Release, or by the kernel when the last process that has
// the file open ends.
type Lock struct {
	lab  *Lab
	file *os.File
}

// Lock takes the lab's lock or says who has it. PID and Since are filled in where they are zero. A lock
// that is held is a clierr.Refused, at once when its holder runs (as far as this machine, h.Host, can
// tell). When the holder is dead and something that it started still has the lock, Lock waits for that
// to end, at most ten seconds and until ctx is done.
func (l *Lab) Lock(ctx context.Context, h Holder) (*Lock, error) {
	if h.PID == 0 {
		h.PID = os.Getpid()
	}
	if h.Since.IsZero() {
		h.Since = l.home.now().UTC()
	}
	deadline := time.NewTimer(l.grace)
	defer deadline.Stop()
	poll := time.NewTicker(lockPoll)
	defer poll.Stop()
	for {
		f, err := l.tryLock(ctx)
		if err == nil {
			writeHolder(f, h)
			return &Lock{l, f}, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("locking lab %s: %w", l.name, err)
		}
		// An unreadable holder is one that took the lock just now and is about to write its name.
		other, err := l.readHolder()
		ended := err == nil && other.Host == h.Host && !processRuns(other.PID)
		if err == nil && !ended {
			return nil, l.held(other, false)
		}
		select {
		case <-poll.C:
		case <-deadline.C:
			return nil, l.held(other, ended)
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for what holds the lock of lab %s: %w", l.name, ctx.Err())
		}
	}
}

// File returns the open lock file, to be handed to a child process (exec.Cmd.ExtraFiles): the lab is
// then locked until the child has ended as well, whatever becomes of this process.
func (k *Lock) File() *os.File { return k.file }

// Release gives the lock up for this process; a child that was given File keeps it. A directory in
// which nothing but the lock was ever put is removed, so that a command that was refused leaves no
// trace of a lab.
func (k *Lock) Release() {
	// No LOCK_UN: it would take the lock from the child as well, which shares the open file.
	k.file.Close()
	k.lab.dropEmpty()
}

// lockTries is how often the lock's file may be gone again before it could be locked. Another process can
// remove a lab only so often; a directory in which nothing can be made says the same for ever.
const lockTries = 100

// errGone: another process has removed the lab between two steps here.
var errGone = errors.New("its files are removed as soon as they are made")

// tryLock opens the lock file and locks it, or returns EWOULDBLOCK.
func (l *Lab) tryLock(ctx context.Context) (*os.File, error) {
	var gone error
	for range lockTries {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		f, err := l.openLock()
		if err == nil || !errors.Is(err, errGone) && !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
		gone = err
	}
	return nil, clierr.New(clierr.Refused, "not in %d tries: %w", lockTries, gone).
		WithNext("Set LABCTL_HOME to a directory in which files can be made.")
}

// openLock makes the lab's directory, opens the lock file in it and locks it.
func (l *Lab) openLock() (*os.File, error) {
	if err := l.mkdir(); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(l.Path(LockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(f, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	// The file may have been removed with its lab between open and flock. Then the lock is one on a file
	// that nobody else will ever find.
	if !l.isCurrent(f) {
		f.Close()
		return nil, errGone
	}
	return f, nil
}

func (l *Lab) isCurrent(f *os.File) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(l.Path(LockFile))
	return err == nil && os.SameFile(opened, named)
}

func (l *Lab) dropEmpty() {
	if !l.onlyLock() {
		return
	}
	f, err := os.OpenFile(l.Path(LockFile), os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer f.Close()
	// Held: by a child of ours, or by somebody who was quick.
	if flock(f, syscall.LOCK_EX|syscall.LOCK_NB) != nil || !l.isCurrent(f) || !l.onlyLock() {
		return
	}
	os.Remove(l.Path(LockFile))
	os.Remove(l.Dir()) // fails, rightly, if something was put there meanwhile
}

func (l *Lab) onlyLock() bool {
	entries, err := os.ReadDir(l.Dir())
	return err == nil && len(entries) == 1 && entries[0].Name() == LockFile
}

// writeHolder leaves h in the lock file. It is for people: a disk too full for it must not keep
// `down` from making room.
func writeHolder(f *os.File, h Holder) {
	line, err := json.Marshal(h)
	if err != nil {
		return
	}
	line = append(line, '\n')
	if _, err := f.WriteAt(line, 0); err != nil {
		_ = f.Truncate(0)
		return
	}
	_ = f.Truncate(int64(len(line)))
}

func (l *Lab) readHolder() (Holder, error) {
	var h Holder
	f, err := plainfile.Open(l.Path(LockFile), os.O_RDONLY, 0)
	if err != nil {
		return h, err
	}
	defer f.Close()
	// One line: the rest of a longer one that it replaces may still follow.
	line, err := bufio.NewReader(f).ReadBytes('\n')
	if err != nil {
		return h, err
	}
	return h, json.Unmarshal(line, &h)
}

// held says who holds the lock; ended, that it is only something which the holder started.
func (l *Lab) held(h Holder, ended bool) error {
	if h.PID == 0 {
		return clierr.New(clierr.Refused, "lab %s is in use by another labctl, which has not said who it is (%s)", l.name, l.Path(LockFile)).
			WithNext("Wait for it to end, then try again.")
	}
	who := fmt.Sprintf("pid %d", h.PID)
	if at := strings.Trim(h.User+"@"+h.Host, "@"); at != "" {
		who += ", " + at
	}
	age := count.Running(l.home.now().Sub(h.Since))
	err := clierr.New(clierr.Refused, "lab %s is in use: %q (%s) has held its lock since %s (%s)",
		l.name, h.Command, who, h.Since.Format(time.RFC3339), age)
	if ended {
		return err.WithNext("Process %d has ended, but something that it started still runs; `fuser %s` names it.", h.PID, l.Path(LockFile))
	}
	return err.WithNext("Wait for it to end, or end it (Ctrl-C where it runs), then try again.")
}

// flockGrace is how long another process may have a file that it locks to read or write one record. It takes
// milliseconds; a process that is stopped (Ctrl-Z) just then has it until it goes on.
const flockGrace = 30 * time.Second

// flock is flock(2), again when a signal came in between. Where that would wait it does so for a bounded time.
func flock(f *os.File, how int) error { return flockWithin(f, how, flockGrace) }

func flockWithin(f *os.File, how int, grace time.Duration) error {
	wait := how&syscall.LOCK_NB == 0
	for deadline := time.Now().Add(grace); ; {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
		case !wait || !errors.Is(err, syscall.EWOULDBLOCK):
			return err
		case time.Now().After(deadline):
			return fmt.Errorf("another process has kept it locked for %s (`fuser %s` names it)", count.Duration(grace), f.Name())
		default:
			time.Sleep(time.Millisecond)
		}
	}
}
