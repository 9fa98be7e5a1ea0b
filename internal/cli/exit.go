package cli

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/lab"
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
	{clierr.Inconclusive, 5},
}

// exitCode returns the code for an error, which may hold several.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	classes := map[clierr.Class]bool{}
	for _, e := range clierr.Leaves(err) {
		classes[clierr.ClassOf(e)] = true
	}
	for _, row := range exitCodes {
		if classes[row.class] {
			return row.code
		}
	}
	return 1
}

// commandExit is a command that labctl ran for the user and that said itself what went wrong; its
// exit code is labctl's.
type commandExit struct {
	error
	code int
}

func (e commandExit) Unwrap() error { return e.error }

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
	unsaid := slices.DeleteFunc(clierr.Leaves(err), clierr.IsSilent)
	switch {
	case len(unsaid) == 0:
	case a.output == "json":
		a.reportJSON(unsaid, code)
	default:
		p := a.messages()
		for _, e := range unsaid {
			var invalid *lab.Invalid
			if errors.As(e, &invalid) {
				_ = a.printDiagnostics(invalid.Diagnostics)
				continue
			}
			p.Problem(redactedError{e})
		}
	}
	return code
}

// redactedError is an error without the passwords of URLs in its text.
type redactedError struct{ error }

func (e redactedError) Error() string { return clierr.Redact(e.error.Error()) }
func (e redactedError) Unwrap() error { return e.error }

func (a *app) reportJSON(errs []error, code int) {
	type problem struct {
		Class string `json:"class"`
		Error string `json:"error"`
		Next  string `json:"next,omitempty"`
		*labfile.Problem
	}
	var all []problem
	for _, e := range errs {
		var invalid *lab.Invalid
		if !errors.As(e, &invalid) {
			all = append(all, problem{Class: clierr.ClassOf(e).String(), Error: clierr.Redact(e.Error()), Next: clierr.NextOf(e)})
			continue
		}
		for _, p := range labfile.Problems(invalid.Diagnostics) {
			all = append(all, problem{Class: clierr.Usage.String(), Error: p.Summary, Problem: &p})
		}
	}
	enc := json.NewEncoder(untrusted.JSONWriter(a.stderr))
	_ = enc.Encode(map[string]any{"exit": code, "errors": all})
}
