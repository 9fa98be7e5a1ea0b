package clierr

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/go-multierror"
)

// Leaves takes errors that were joined or collected apart. Each that came out of a wrapped collection
// keeps the wrapping's lead, so that it can stand by itself: "cluster.kind.x: no disk".
func Leaves(err error) []error {
	parts, lead := collected(err)
	if parts == nil {
		return []error{err}
	}
	var all []error
	for _, part := range parts {
		for _, leaf := range Leaves(part) {
			if lead != "" {
				leaf = ledError{lead, leaf}
			}
			all = append(all, leaf)
		}
	}
	return all
}

// collected returns the errors that err is a collection of, or wraps one of; nil when it is a single
// error. lead is what the wrapping puts before them.
func collected(err error) (parts []error, lead string) {
	switch e := err.(type) {
	case *multierror.Error:
		return e.Errors, ""
	case *Error:
		return nil, "" // its class and what to type next are meant for all of it
	case interface{ Unwrap() []error }:
		// fmt.Errorf with two %w is one error with two causes, not two errors.
		if strings.HasPrefix(fmt.Sprintf("%T", err), "*fmt.") {
			return nil, ""
		}
		return e.Unwrap(), ""
	}
	inner := errors.Unwrap(err)
	if inner == nil {
		return nil, ""
	}
	parts, within := collected(inner)
	lead, found := strings.CutSuffix(err.Error(), inner.Error())
	if parts == nil || !found {
		return nil, ""
	}
	return parts, lead + within
}

// ledError is an error with words before it.
type ledError struct {
	lead string
	error
}

func (e ledError) Error() string { return e.lead + e.error.Error() }
func (e ledError) Unwrap() error { return e.error }

// silent carries the class of an error whose words have been said already.
type silent struct{ error }

func (e silent) Unwrap() error { return e.error }

// Silent returns an error of the class that is not to be printed: what it is about has been said.
func Silent(c Class) error { return silent{New(c, "%s", c)} }

// IsSilent reports whether err is, or wraps, one that Silent has made.
func IsSilent(err error) bool {
	var said silent
	return errors.As(err, &said)
}
