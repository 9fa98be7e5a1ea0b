// Package clierr holds the one error type that labctl shows to people: what went wrong, of which
// class it is, and what to type next. It decides nothing about exit codes; internal/cli maps the
// classes to them in one table.
package clierr

import (
	"errors"
	"fmt"
)

// Class says how an operation ended, from the point of view of whoever called labctl.
type Class int

const (
	// Failed: labctl tried and did not succeed.
	Failed Class = iota
	// Usage: the command line or the lab file is wrong; nothing was touched.
	Usage
	// Refused: labctl declined before any act (preflight, a foreign object, a held lock, no engine).
	Refused
	// NotHolding: a check was made and its answer is no.
	NotHolding
	// Inconclusive: the question could not be answered (an engine or API that does not answer).
	Inconclusive
	// Leftover: something of ours is still there.
	Leftover
	// Interrupted: the user ended it (Ctrl-C, SIGTERM).
	Interrupted
)

// String returns the class as it is written in JSON results.
func (c Class) String() string {
	switch c {
	case Usage:
		return "usage"
	case Refused:
		return "refused"
	case NotHolding:
		return "does-not-hold"
	case Inconclusive:
		return "inconclusive"
	case Leftover:
		return "leftover"
	case Interrupted:
		return "interrupted"
	}
	return "failed"
}

// Error is an error with its class and, where there is one, the next thing to type.
// It is immutable and safe for concurrent use.
type Error struct {
	Class Class
	// Err is the cause, "doing X: cause", lowercase, with addresses and ids.
	Err error
	// Next is a full sentence that says what to do about it; empty when there is nothing to say.
	Next string
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns an error of the given class. The format takes %w like fmt.Errorf.
func New(c Class, format string, args ...any) *Error {
	return &Error{Class: c, Err: fmt.Errorf(format, args...)}
}

// WithNext sets what to type next and returns e, so that it can follow New.
func (e *Error) WithNext(format string, args ...any) *Error {
	e.Next = fmt.Sprintf(format, args...)
	return e
}

// ClassOf returns the class of the first *Error in err's tree, and Failed for any other error.
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return Failed
}

// NextOf returns what to type next, or "" when no error in the tree says so.
func NextOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Next
	}
	return ""
}

// Observing gives an error its class where nothing was to be done but to look: that has not failed, it cannot tell.
func Observing(err error) error {
	if err == nil || ClassOf(err) != Failed {
		return err
	}
	return &Error{Class: Inconclusive, Err: err, Next: NextOf(err)}
}
