package ssh

import (
	"errors"
	"fmt"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/count"
)

// ErrUnknownOutcome is wrapped by the errors of commands of which it is not known whether they ran, still
// run, or how they ended. What they may have done has to be looked at before anything is repeated.
var ErrUnknownOutcome = errors.New("outcome unknown")

// UnknownError is a command whose outcome is unknown. It wraps ErrUnknownOutcome and Cause.
type UnknownError struct {
	Argv []string
	// Started: the host has said that it has begun. Without it the command may not have run at all.
	Started bool
	After   time.Duration // since it was sent
	Stderr  string        // the end of what it wrote, trimmed
	Cause   error
}

func (e *UnknownError) Error() string {
	known := "it had not yet been seen to start"
	if e.Started {
		known = "it had started"
	}
	text := fmt.Sprintf("%s: %s after %s (%s): %s", name(e.Argv), ErrUnknownOutcome, count.Elapsed(e.After), known, e.Cause)
	if e.Stderr != "" {
		text += "; last said: " + e.Stderr
	}
	return text
}

// Unwrap returns ErrUnknownOutcome and the cause.
func (e *UnknownError) Unwrap() []error { return []error{ErrUnknownOutcome, e.Cause} }

// SignalError is a command that was ended by a signal that did not come from Run. It wraps a
// *command.ExitError with code -1, which is what a command run on this machine gives.
type SignalError struct {
	Argv   []string
	Signal string // without SIG: "KILL"
	Stderr string // the end of what it wrote, trimmed
}

func (e *SignalError) Error() string {
	text := name(e.Argv) + ": ended by signal " + e.Signal
	if e.Stderr != "" {
		text += ": " + e.Stderr
	}
	return text
}

// Unwrap returns the *command.ExitError.
func (e *SignalError) Unwrap() error {
	return &command.ExitError{Argv: e.Argv, Code: -1, Stderr: e.Stderr}
}

func unknown(e *UnknownError) error {
	return clierr.New(clierr.Inconclusive, "%w", e).
		WithNext("Run the same labctl command again: it looks at what is there before it does anything.")
}

// name is command.Name, on one line that is not too long.
func name(argv []string) string {
	return oneLine(command.Name(argv))
}
