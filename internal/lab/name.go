package lab

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/labfile"
)

// pick returns the name of the lab that is meant: name, else $LABCTL_LAB, else the only one that is remembered.
func (m *Machine) pick(ctx context.Context, name string) (string, error) {
	if name = cmp.Or(name, m.Getenv("LABCTL_LAB")); name != "" {
		return name, nil
	}
	home, err := m.Home()
	if err != nil {
		return "", err
	}
	labs, err := home.Labs()
	if err != nil {
		return "", err
	}
	labs = slices.DeleteFunc(labs, func(name string) bool {
		_, err := home.Lab(name).Load()
		return errors.Is(err, fs.ErrNotExist)
	})
	switch len(labs) {
	case 0:
		if err := m.explainStateless(ctx, ""); err != nil {
			return "", err
		}
		return "", clierr.New(clierr.Usage, "no lab is up").WithNext("`labctl up day10.hcl --local` starts one.")
	case 1:
		return labs[0], nil
	}
	return "", clierr.New(clierr.Usage, "several labs are up: %s", strings.Join(labs, ", ")).
		WithNext("Say which with --lab NAME.")
}

// explainStateless explains that labctl's files of a lab (of any, without a name) are lost while its containers
// are there: without them nobody knows what the lab should be. It is nil when there are none.
func (m *Machine) explainStateless(ctx context.Context, name string) error {
	located, err := m.locate(ctx, name)
	if err != nil {
		return err
	}
	for _, f := range located.Labs {
		if f.Mine && f.State == nil && len(f.Containers) > 0 {
			return clierr.New(clierr.Usage, "containers of lab %s are there, but labctl has no state of it", f.Lab).
				WithNext("`labctl up` with its lab file takes it up again; `labctl down %s` removes it.", f.Lab)
		}
	}
	return nil
}

// Named returns the name of the lab that an argument of `down` means: a lab's name or the file that it was made
// from, which may be gone; without an argument the only lab that is there, empty for none. parse reads the file of
// a lab that this machine does not remember, and returns its name.
func (m *Machine) Named(ctx context.Context, arg string, parse func(file string) (string, error)) (string, error) {
	if arg != "" {
		return m.named(arg, parse)
	}
	located, err := m.locate(ctx, "")
	if err != nil {
		return "", err
	}
	var names []string
	for _, f := range located.Labs {
		if f.Mine || f.State != nil {
			names = append(names, f.Lab)
		}
	}
	slices.Sort(names)
	switch names = slices.Compact(names); {
	case located.Engine != nil && len(names) == 0:
		return "", engineAway(located.Engine)
	case len(names) == 0:
		return "", nil
	case len(names) == 1:
		return names[0], nil
	}
	return "", clierr.New(clierr.Usage, "several labs are up: %s", strings.Join(names, ", ")).WithNext("Say which: labctl down NAME.")
}

func (m *Machine) named(arg string, parse func(file string) (string, error)) (string, error) {
	home, err := m.Home()
	if err != nil {
		return "", err
	}
	known, err := home.Labs()
	if err != nil || slices.Contains(known, arg) {
		return arg, err
	}
	var fromFile []string
	for _, name := range known {
		st, err := home.Lab(name).Load()
		if err == nil && (st.File == absolute(arg) || filepath.Base(st.File) == filepath.Base(arg) && strings.HasPrefix(st.File, "embedded:")) {
			fromFile = append(fromFile, name)
		}
	}
	switch {
	case len(fromFile) == 1:
		return fromFile[0], nil
	case len(fromFile) > 1:
		return "", clierr.New(clierr.Usage, "several labs were made from %s: %s", arg, strings.Join(fromFile, ", ")).WithNext("Say which: labctl down NAME.")
	case !strings.HasSuffix(arg, ".hcl") && !strings.ContainsRune(arg, filepath.Separator) && arg != labfile.Stdin:
		return arg, nil // its state may be lost; the marks will tell
	}
	return parse(arg)
}
