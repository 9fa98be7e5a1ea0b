package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/untrusted"
)

// exitCodes is the only place where an outcome becomes a number. The order is that of precedence:
// when several apply, the first one counts.
var exitCodes = []struct {
	class clierr.Class
	code  int
}{
	{clierr.Interrupted, 130},
	{clierr.Usage, 2},
	{clierr.Refused, 3},
	{clierr.Failed, 1},
	{clierr.Leftover, 6},
	{clierr.NotHolding, 4},
	{clierr.Unknown, 5},
}

// exitCode returns the code for an error, which may hold several.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	classes := map[clierr.Class]bool{}
	for _, e := range leaves(err) {
		classes[clierr.ClassOf(e)] = true
	}
	for _, row := range exitCodes {
		if classes[row.class] {
			return row.code
		}
	}
	return 1
}

// looked gives an error its class where nothing was to be done but to look: that has not failed, it cannot tell.
func looked(err error) error {
	if err == nil || clierr.ClassOf(err) != clierr.Failed {
		return err
	}
	return &clierr.Error{Class: clierr.Unknown, Err: err, Next: clierr.NextOf(err)}
}

// leaves takes errors that were joined or collected apart. Each that came out of a wrapped collection
// keeps the wrapping's lead, so that it can stand by itself: "cluster.kind.x: no disk".
func leaves(err error) []error {
	parts, lead := collected(err)
	if parts == nil {
		return []error{err}
	}
	var all []error
	for _, part := range parts {
		for _, leaf := range leaves(part) {
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
	case *clierr.Error:
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

// errSilent is returned when everything has been said already; it only carries a class.
type errSilent struct{ error }

func (e errSilent) Unwrap() error { return e.error }

func silent(c clierr.Class) error {
	return errSilent{clierr.New(c, "%s", c)}
}

// report prints an error, once, and returns the exit code.
func (a *app) report(err error) int {
	code := exitCode(err)
	var ran commandExit
	if errors.As(err, &ran) {
		return ran.code
	}
	if err == nil {
		return code
	}
	unsaid := slices.DeleteFunc(leaves(err), func(e error) bool {
		var said errSilent
		return errors.As(e, &said)
	})
	if len(unsaid) == 0 {
		return code
	}
	if a.output == "json" {
		a.reportJSON(unsaid, code)
		return code
	}
	p := a.messages()
	for _, e := range unsaid {
		p.Problem(redactedError{e})
	}
	return code
}

func (a *app) reportJSON(errs []error, code int) {
	type problem struct {
		Class string `json:"class"`
		Error string `json:"error"`
		Next  string `json:"next,omitempty"`
		*labfile.Problem
	}
	var all []problem
	for _, e := range errs {
		class := clierr.ClassOf(e).String()
		var inFile problems
		if !errors.As(e, &inFile) {
			all = append(all, problem{Class: class, Error: clierr.Redact(e.Error()), Next: clierr.NextOf(e)})
		}
		for _, p := range inFile {
			all = append(all, problem{Class: clierr.Usage.String(), Error: p.Summary, Problem: &p})
		}
	}
	enc := json.NewEncoder(untrusted.JSONWriter(a.stderr))
	_ = enc.Encode(map[string]any{"exit": code, "errors": all})
}

// problems are what is wrong with a lab file, for a result in JSON.
type problems []labfile.Problem

func (p problems) Error() string { return "the lab file has " + count.Of(len(p), "problem") }

// As gives the problems their class.
func (p problems) As(target any) bool {
	e, ok := target.(**clierr.Error)
	if ok {
		*e = &clierr.Error{Class: clierr.Usage, Err: errors.New(p.Error())}
	}
	return ok
}
