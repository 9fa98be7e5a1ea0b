package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/terminal"
	"github.com/labctl/labctl/labs"
)

// fileOptions are those of the commands that take a lab file.
type fileOptions struct {
	path string
	lab.FileOptions
}

func (f *fileOptions) addFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.Local, "local", false, "use this machine's own Docker instead of the declared host")
	cmd.Flags().StringVar(&f.Name, "name", "", "run the file as a lab of this name, beside others of the same file")
	vars := varFlags{}
	f.Vars = vars
	cmd.Flags().Var(vars, "var", "set a variable of the file: --var region=eu-central-1 (may be given several times)")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		// `--name "$NAME"` with NAME not set must not be taken for the lab of the file's own name.
		if f.Name == "" && cmd.Flags().Changed("name") {
			return clierr.New(clierr.Usage, "--name is empty: the name of a lab has at least one character")
		}
		return nil
	}
}

// open reads a lab file and opens its lab with the state that there is, or a new one.
func (a *app) open(ctx context.Context, m *lab.Machine, f fileOptions) (*lab.Lab, error) {
	declared, src, _, err := a.read(ctx, m, f)
	if err != nil {
		return nil, err
	}
	a.sayWhich(declared.Path, f.path)
	return m.Open(ctx, declared, src, f.FileOptions)
}

// read reads a lab file, or prints all that is wrong with it. It prints warnings, and returns them.
func (a *app) read(ctx context.Context, m *lab.Machine, f fileOptions) (*labfile.Lab, labfile.Source, []labfile.Problem, error) {
	src, err := a.find(ctx, f.path)
	if err != nil {
		return nil, src, nil, err
	}
	declared, diags, err := m.Parse(src, f.FileOptions)
	if err == nil && diags.HasErrors() {
		err = &lab.Invalid{Diagnostics: diags}
	}
	if err == nil && len(diags) > 0 && a.output != "json" {
		err = a.printWarnings(diags)
	}
	return declared, src, labfile.Problems(diags), err
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
	if a.In == nil || terminal.Is(a.In) {
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

// printWarnings prints what a lab file is warned of, as events where events are asked for.
func (a *app) printWarnings(diags hcl.Diagnostics) error {
	if a.events != "ndjson" {
		return a.printDiagnostics(diags)
	}
	for _, p := range labfile.Problems(diags) {
		a.progress.Emit(event.Notice{Warning: true, Text: fmt.Sprintf("%s:%d: %s: %s", p.File, p.Line, p.Summary, p.Detail)})
	}
	return nil
}

func (a *app) printDiagnostics(diags hcl.Diagnostics) error {
	return labfile.FormatDiagnostics(a.stderr, diags, terminal.Columns(a.Process.Err), a.colour())
}

// varFlags are the values of --var by name. What follows the first = is the value as it is, commas, quotes and
// further = included.
type varFlags map[string]string

// Set takes NAME=value.
func (v varFlags) Set(text string) error {
	name, value, found := strings.Cut(text, "=")
	switch {
	case !found:
		return errors.New("there is no = in it; write --var NAME=value")
	case !hclsyntax.ValidIdentifier(name):
		return fmt.Errorf("%q before the = is no variable's name; write --var NAME=value", name)
	}
	v[name] = value
	return nil
}

// Type is what help calls the value.
func (v varFlags) Type() string { return "NAME=value" }

// String is empty without values, so that help shows no default.
func (v varFlags) String() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(v)) {
		all = append(all, fmt.Sprintf("%s=%s", name, v[name]))
	}
	return strings.Join(all, " ")
}
