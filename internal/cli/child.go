package cli

import (
	"os"
	"os/exec"
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

// child is the command that labctl has started in its place, while there is one: a shell, kubectl. It is
// safe for concurrent use.
type child struct {
	mu     sync.Mutex
	cmd    *exec.Cmd
	ended  chan struct{}  // closed when cmd has ended
	ending syscall.Signal // what has asked it to end
}

// endedBy is a signal that labctl was ended by, and the command that it ran, too.
type endedBy syscall.Signal

func (e endedBy) Error() string { return "ended by the signal: " + syscall.Signal(e).String() }

// run runs a command, which gets labctl's signals meanwhile. When one of them has asked it to end, the error
// is the command's or, where it exits with 0, endedBy: nothing is to follow it then.
func (c *child) run(cmd *exec.Cmd) error {
	c.mu.Lock()
	if err := cmd.Start(); err != nil {
		c.mu.Unlock()
		return err
	}
	c.cmd, c.ended, c.ending = cmd, make(chan struct{}), 0
	c.mu.Unlock()
	err := cmd.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.ended)
	c.cmd = nil
	if err == nil && c.ending != 0 {
		return endedBy(c.ending)
	}
	return err
}

// take passes a signal on and reports whether there was a command to take it. A terminal's Ctrl-C has
// reached the command already, being in the same foreground group.
func (c *child) take(sig os.Signal, terminal bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd == nil {
		return false
	}
	if sig == os.Interrupt {
		if !terminal {
			_ = c.cmd.Process.Signal(sig)
		}
		return true
	}
	_ = c.cmd.Process.Signal(sig)
	if c.ending == 0 {
		go insist(c.cmd.Process, c.ended)
	}
	c.ending, _ = sig.(syscall.Signal)
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

// statusOf is a command's exit code as a shell gives it.
func statusOf(exit *exec.ExitError) int {
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}
