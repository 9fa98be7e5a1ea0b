package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/plainfile"
	"github.com/labctl/labctl/internal/state"
)

// declared is what a lab file came to, without its scenarios. It is kept with the lab's state, so that the
// commands which are not about scenarios need not understand the file.
type declared struct {
	Title   string           `json:"title,omitempty"`
	TTL     time.Duration    `json:"ttl,omitempty"` // nanoseconds
	Host    *labfile.Host    `json:"host,omitempty"`
	Cluster *labfile.Cluster `json:"cluster"`
	Images  []string         `json:"images,omitempty"` // what the mirror serves
}

// remember puts a lab as it is about to be applied into its state.
func remember(st *state.State, lab *labfile.Lab, src labfile.Source) error {
	st.Title, st.File, st.FileName, st.FileBytes = lab.Title, origin(src.Name), src.Name, string(src.Bytes)
	st.Manifests = map[string]string{}
	for path, text := range lab.Files {
		st.Manifests[path] = string(text)
	}
	st.Given = string(lab.VariableValues)
	return rememberOutline(st, lab)
}

// rememberOutline is the part of remember that a scenario which is added later changes.
func rememberOutline(st *state.State, lab *labfile.Lab) error {
	raw, err := json.Marshal(declared{lab.Title, lab.TTL, lab.Host, lab.Cluster, imagesOf(lab.Scenarios)})
	if err != nil {
		return fmt.Errorf("remembering what lab %s declares: %w", lab.Name, err)
	}
	st.Declared = raw
	return nil
}

// applied is the lab as it was applied, scenarios and all.
func (a *app) applied(st *state.State) (*labfile.Lab, error) {
	src := labfile.Source{Name: st.FileName, Bytes: []byte(st.FileBytes)}
	kept := labfile.Files{}
	for path, text := range st.Manifests {
		kept[path] = []byte(text)
	}
	src.Dir = kept
	if st.Manifests == nil && filepath.IsAbs(st.File) {
		src.Dir = plainfile.Folder(filepath.Dir(st.File)) // applied by a labctl that did not keep them
	}
	lab, err := a.parse(src, parseOptions{given: st.Given, name: st.Name, local: st.Local, applied: true})
	if err != nil {
		return nil, err
	}
	return lab, a.addRemembered(lab, st)
}

// addRemembered appends the scenarios that were added to a lab. One that this labctl does not know, because
// another one added it, is left out and said: it must not keep the lab from being used.
func (a *app) addRemembered(lab *labfile.Lab, st *state.State) error {
	for _, name := range st.Extra {
		err := addExtra(lab, []string{name})
		if clierr.ClassOf(err) == clierr.Usage {
			fmt.Fprintf(a.Err, "Note: scenario %s was added to this lab by a labctl that knows it; it is left out.\n", name)
		} else if err != nil {
			fmt.Fprintf(a.Err, "Note: %v; it is left out.\n", err)
		}
	}
	return nil
}

// outline is the lab as it was applied, without its scenarios.
func (a *app) outline(st *state.State) (*labfile.Lab, []string, error) {
	var d declared
	if len(st.Declared) == 0 || json.Unmarshal(st.Declared, &d) != nil || d.Cluster == nil {
		lab, err := a.applied(st) // by a labctl that did not keep it
		if err != nil {
			return nil, nil, err
		}
		images := imagesOf(lab.Scenarios)
		lab.Scenarios = nil
		return lab, images, nil
	}
	lab := &labfile.Lab{Name: st.Lab, Title: d.Title, TTL: d.TTL, Path: st.FileName, Host: d.Host, Cluster: d.Cluster}
	return lab, d.Images, nil
}

// load reads the state of a lab that is up, and refuses another owner's.
func (a *app) load(ctx context.Context, name string) (*state.Lab, *state.State, error) {
	home, err := a.home()
	if err != nil {
		return nil, nil, err
	}
	files := home.Lab(name)
	st, err := files.Load()
	if errors.Is(err, fs.ErrNotExist) {
		if err := a.stateless(ctx, name); err != nil {
			return nil, nil, err
		}
		return nil, nil, clierr.New(clierr.Usage, "no lab %q is up on this machine", name).
			WithNext("`labctl status` lists what is up; `labctl up FILE` starts a lab.")
	}
	if err != nil {
		return nil, nil, err
	}
	owner, err := a.whose()
	if err != nil {
		return nil, nil, err
	}
	// The owner of a lab on AWS is found out from AWS; that its account is the right one is checked there.
	if st.Owner != owner && (a.owner != "" || len(st.Host) == 0) {
		return nil, nil, foreignLab(name, st.Owner, owner)
	}
	return files, st, nil
}

// current opens the lab that a command works on, as it was applied: --lab, else the only one that is up.
func (a *app) current(ctx context.Context) (*session, error) { return a.reopen(ctx, a.whole) }

// entered is current for what needs no scenario: it does so without reading the lab's file.
func (a *app) entered(ctx context.Context) (*session, error) { return a.reopen(ctx, a.outline) }

// understood is current, but for a lab whose file this labctl does not understand, as one of another version may
// not: it says so and leaves the scenarios out.
func (a *app) understood(ctx context.Context) (*session, error) {
	return a.reopen(ctx, func(st *state.State) (*labfile.Lab, []string, error) {
		lab, images, err := a.whole(st)
		if err == nil || len(st.Declared) == 0 {
			return lab, images, err
		}
		fmt.Fprintf(a.Err, "Note: this labctl does not understand the file of lab %s; its scenarios are left out.\n", st.Lab)
		return a.outline(st)
	})
}

// whole is the lab as it was applied, with the images of its scenarios.
func (a *app) whole(st *state.State) (*labfile.Lab, []string, error) {
	lab, err := a.applied(st)
	if err != nil {
		return nil, nil, err
	}
	return lab, imagesOf(lab.Scenarios), nil
}

// reopen opens the lab that a command works on, as read makes it of its state.
func (a *app) reopen(ctx context.Context, read func(*state.State) (*labfile.Lab, []string, error)) (*session, error) {
	name, err := a.pick(ctx)
	if err != nil {
		return nil, err
	}
	files, st, err := a.load(ctx, name)
	if err != nil {
		return nil, err
	}
	lab, images, err := read(st)
	if err != nil {
		return nil, err
	}
	host, err := hostOf(st)
	if err != nil {
		return nil, err
	}
	if lab.Host != nil && host.Region != "" {
		lab.Host.Region = host.Region // that of the file may have come from a variable
	}
	return a.openWith(ctx, lab, images, files, st)
}
