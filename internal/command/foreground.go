package command

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// How long a command that was asked to end by a signal has, before it is asked more firmly. An interactive
// shell ignores SIGTERM and heeds SIGHUP.
const (
	graceToHangup = time.Second
	graceToKill   = 5 * time.Second
)

// Foreground is the command that labctl has started in its place, while there is one: a shell, kubectl. It is
// safe for concurrent use.
type Foreground struct {
	mu     sync.Mutex
	cmd    *exec.Cmd
	ended  chan struct{}  // closed when cmd has ended
	ending syscall.Signal // what has asked it to end
}

// EndedBy is a signal that labctl was ended by, and the command that it ran, too.
type EndedBy syscall.Signal

func (e EndedBy) Error() string { return "ended by the signal: " + syscall.Signal(e).String() }

// Run runs a command, which gets labctl's signals meanwhile. When one of them has asked it to end, the error
// is the command's or, where it exits with 0, EndedBy: nothing is to follow it then.
func (f *Foreground) Run(cmd *exec.Cmd) error {
	f.mu.Lock()
	if err := cmd.Start(); err != nil {
		f.mu.Unlock()
		return err
	}
	f.cmd, f.ended, f.ending = cmd, make(chan struct{}), 0
	f.mu.Unlock()
	err := cmd.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.ended)
	f.cmd = nil
	if err == nil && f.ending != 0 {
		return EndedBy(f.ending)
	}
	return err
}

// Take passes a signal on and reports whether there was a command to take it. A terminal's Ctrl-C has
// reached the command already, being in the same foreground group.
func (f *Foreground) Take(sig os.Signal, terminal bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cmd == nil {
		return false
	}
	if sig == os.Interrupt {
		if !terminal {
			_ = f.cmd.Process.Signal(sig)
		}
		return true
	}
	_ = f.cmd.Process.Signal(sig)
	if f.ending == 0 {
		go insist(f.cmd.Process, f.ended)
	}
	f.ending, _ = sig.(syscall.Signal)
	return true
}

// insist makes an end of a process that was asked to end.
func insist(p *os.Process, ended <-chan struct{}) {
	for _, next := range []struct {
		after time.Duration
		sig   os.Signal
	}{{graceToHangup, syscall.SIGHUP}, {graceToKill, syscall.SIGKILL}} {
		select {
		case <-ended:
			return
		case <-time.After(next.after):
			_ = p.Signal(next.sig)
		}
	}
}

// Status is a command's exit code as a shell gives it.
func Status(exit *exec.ExitError) int {
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}

// Process is what the operating system gives a program.
type Process struct {
	Args    []string
	Environ []string
	In      *os.File
	Out     *os.File
	Err     *os.File
	Version string // of the program
}

// Getenv returns the last value of a variable, "" when it is not set.
func (p Process) Getenv(name string) string { return lastOf(p.Environ, name) }

// LookPath finds a program in the directories of a PATH, which need not be this process's. One that is not found, or
// that is given with a directory, is returned as it is.
func LookPath(program, path string) string {
	if strings.ContainsRune(program, filepath.Separator) {
		return program
	}
	for _, dir := range filepath.SplitList(path) {
		if found, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return found
		}
	}
	return program
}
