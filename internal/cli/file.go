package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/labs"
	"github.com/labctl/labctl/scenarios"
)

// parseOptions is what a lab file is read with besides its bytes.
type parseOptions struct {
	vars    map[string]string
	name    string
	local   bool
	given   string // labfile.Lab.Given of an earlier up
	applied bool   // values are those of an earlier up: neither environment nor .labvars count
}

// find reads a lab file from the disk, from labctl's own or, where it is called "-", from standard input.
func (a *app) find(ctx context.Context, name string) (labfile.Source, error) {
	wd, err := os.Getwd()
	if err != nil {
		return labfile.Source{}, err
	}
	if name == labfile.Stdin {
		return a.findOnStdin(ctx, wd)
	}
	return labfile.Find(name, wd, labs.FS())
}

// findOnStdin waits for whatever writes the lab file, for as long as the user does.
func (a *app) findOnStdin(ctx context.Context, wd string) (labfile.Source, error) {
	if a.In == nil || isTerminal(a.In) {
		return labfile.Source{}, clierr.New(clierr.Usage, "the lab file is to come from standard input, which is a terminal").
			WithNext("Give a file or pipe one in: labctl validate - < day10.hcl")
	}
	type answer struct {
		src labfile.Source
		err error
	}
	read := make(chan answer, 1)
	go func() {
		src, err := labfile.ReadStdin(a.In, wd)
		read <- answer{src, err}
	}()
	select {
	case got := <-read:
		return got.src, got.err
	case <-ctx.Done():
		return labfile.Source{}, context.Cause(ctx)
	}
}

// origin says where a lab file lay, whatever folder labctl is called from next.
func origin(name string) string {
	if name == labfile.Stdin {
		return "standard input"
	}
	if abs, err := filepath.Abs(name); err == nil && !strings.HasPrefix(name, "embedded:") {
		return abs
	}
	return name
}

// sayWhich says which lab file was taken where the name alone does not: for one of labctl's own, and
// for one in the folder that hides it.
func (a *app) sayWhich(path, name string) {
	own := strings.TrimSuffix(filepath.Base(name), ".hcl")
	switch {
	case a.output == "json":
	case path != name:
		fmt.Fprintf(a.Err, "Using %s\n", path)
	case slices.Contains(labfile.Embedded(labs.FS()), own) && !strings.HasPrefix(path, "embedded:"):
		fmt.Fprintf(a.Err, "Using the file %s, not labctl's own lab of that name\n", path)
	}
}

// parse turns a lab file into a lab, or prints all that is wrong with it.
func (a *app) parse(src labfile.Source, o parseOptions) (*labfile.Lab, error) {
	var err error
	opt := labfile.Options{Vars: o.vars, Catalogue: scenarios.Definitions(), Name: o.name, Local: o.local}
	if o.applied {
		opt.LabVars = []labfile.Source{{Name: "state", Bytes: []byte(o.given)}}
	} else {
		opt.Environ = a.Environ
		if opt.LabVars, err = labfile.LabVars(src); err != nil {
			return nil, err
		}
	}
	lab, diags := labfile.Parse(src, opt)
	if diags.HasErrors() && a.output == "json" {
		return nil, problems(labfile.Problems(diags))
	}
	a.warnings = labfile.Problems(diags)
	if diags.HasErrors() || !o.applied && a.output != "json" {
		if err := a.printDiagnostics(diags); err != nil {
			return nil, err
		}
	}
	if diags.HasErrors() {
		return nil, silent(clierr.Usage)
	}
	return lab, nil
}

// printDiagnostics prints what is wrong with a lab file, or what it is warned of: that once, when it is
// read to be applied, and as events where events are asked for.
func (a *app) printDiagnostics(diags hcl.Diagnostics) error {
	switch {
	case len(diags) == 0:
		return nil
	case diags.HasErrors() || a.events != "ndjson":
		return labfile.FormatDiagnostics(a.stderr, diags, a.width(), a.colour())
	}
	v := a.view()
	defer v.Close()
	for _, p := range labfile.Problems(diags) {
		v.Emit(event.Notice{Warning: true, Text: fmt.Sprintf("%s:%d: %s: %s", p.File, p.Line, p.Summary, p.Detail)})
	}
	return nil
}
