package ssh

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/count"
)

const (
	// stopGrace is what a command is given between SIGTERM and SIGKILL.
	stopGrace = 2 * time.Second
	// stopTimeout bounds the wait for the host to say that a killed command is gone.
	stopTimeout = 3 * time.Second
	// linger is how long output may be silent once the command has exited, before what still holds it open
	// (a process that it left behind) is not waited for any longer. command.Local does the same.
	linger = 2 * time.Second
	// trailTimeout is how long it may go on in all; what the command itself has printed comes before its exit.
	trailTimeout = 30 * time.Second
)

// Run runs a command on the host and implements command.Runner. The arguments arrive as they are, byte for
// byte; the command runs in the user's home directory, without a terminal, with the environment that sshd
// gives. At most 8 run at a time; the others wait, in order. A command takes one round trip: its shell
// is started beforehand. There are three outcomes:
//
//   - it exited: nil, or a *command.ExitError with the code (127: not found);
//   - a signal ended it: a *SignalError;
//   - unknown: the connection was lost, or the session ended without a word. The error wraps
//     ErrUnknownOutcome and is of class clierr.Inconclusive. The command may have done all, some or nothing of
//     its work, and may still run: look before repeating it.
//
// Any other error says that the command was not run, but for two: when ctx ends, or Stdin, Stdout or
// Stderr fail, the command is stopped. Its process group gets SIGTERM, and SIGKILL once it has exited
// or after two seconds; the error then wraps the cause of ctx (or what failed). If the host does not
// confirm the end within three seconds more, it wraps ErrUnknownOutcome as well; Run returns at most
// about seven seconds after ctx has ended. The same happens on the host to all running commands when the
// connection ends, as soon as its sshd notices. Not reached are processes that left the group (setsid), that the user may not signal (sudo), and what the command
// asked a daemon to do.
//
// A Stdin whose Read blocks after the command has ended keeps one goroutine until it returns.
func (c *Conn) Run(ctx context.Context, cmd command.Command) error {
	line, err := commandLine(cmd)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: not run: %w", name(cmd.Argv), context.Cause(ctx))
	}
	c.reaper.start()
	s, err := c.shells.take(ctx)
	if err != nil {
		return fmt.Errorf("%s: not run: %w", name(cmd.Argv), err)
	}
	if err := c.reaper.ready(ctx); err != nil {
		go s.channel.Close()
		return fmt.Errorf("%s: not run: %w", name(cmd.Argv), err)
	}
	c.reaper.add(s.group)

	// work ends with ctx or when a stream fails.
	work, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	sent := c.target.Now()
	p := newPipes(s, cmd, fail)
	p.begin(line)
	stopped := false
	select {
	case <-s.exited:
	case <-s.ended:
	case <-work.Done():
		// Not when it exited in the same moment: then its outcome is known.
		if stopped = s.alive(); stopped {
			c.stop(s)
		}
	}
	p.finish(work.Done(), c.target.trail)

	stderr := p.tail.String()
	lost := &UnknownError{Argv: cmd.Argv, Started: p.started.Load(), After: c.target.Now().Sub(sent), Stderr: stderr}
	exited := false
	select {
	case <-s.exited:
		exited = true
		// Not otherwise: what may still run is to end with the connection.
		c.reaper.remove(s.group)
	default:
	}
	switch {
	case stopped && exited:
		return fmt.Errorf("%s: stopped after %s (%s): %w", name(cmd.Argv), count.Elapsed(lost.After), s.status, context.Cause(work))
	case stopped:
		lost.Cause = fmt.Errorf("it was to be stopped (%w) and the host has not confirmed that it was", context.Cause(work))
		return unknown(lost)
	case !exited:
		lost.Cause = c.why(errors.New("the session ended without an exit status"))
		return unknown(lost)
	case !lost.Started:
		return fmt.Errorf("%s: not run: its shell on %s had ended (%s)", name(cmd.Argv), c, s.status)
	case work.Err() != nil && ctx.Err() == nil:
		// Its output could not be written, which was found after it had exited.
		return fmt.Errorf("%s: %s, but %w", name(cmd.Argv), s.status, context.Cause(work))
	case s.status.signal != "":
		return &SignalError{Argv: cmd.Argv, Signal: s.status.signal, Stderr: stderr}
	case s.status.code != 0:
		return &command.ExitError{Argv: cmd.Argv, Code: s.status.code, Stderr: stderr}
	}
	return nil
}

// stop ends a command's process group and returns when its leader has exited, or after a bound. The whole
// group gets SIGKILL in any case: its leader's exit does not say that the others heeded SIGTERM.
func (c *Conn) stop(s *shell) {
	c.signal(s, "TERM")
	if !c.settled(s, stopGrace) {
		// By both ways, in case the reaper has died this moment.
		requestSignal(s, "KILL")
	}
	c.signal(s, "KILL")
	c.settled(s, stopTimeout)
	// Writing blocks on a dead connection, until the keepalive finds it.
	go s.channel.Close()
}

// signal signals the command's process group: by the reaper, else by sshd, which many an old one refuses.
func (c *Conn) signal(s *shell, name string) {
	if !c.reaper.signal(s.group, name) {
		requestSignal(s, name)
	}
}

func requestSignal(s *shell, name string) {
	// RFC 4254, section 6.9: no reply is sent.
	payload := append([]byte{0, 0, 0, byte(len(name))}, name...)
	go s.channel.SendRequest("signal", false, payload)
}

// settled waits for a command's exit, its session's end or the bound, and says whether it was one of the
// former.
func (c *Conn) settled(s *shell, bound time.Duration) bool {
	timer := time.NewTimer(bound)
	defer timer.Stop()
	select {
	case <-s.exited:
	case <-s.ended:
	case <-timer.C:
		return false
	}
	return true
}
