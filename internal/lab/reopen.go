package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/plainfile"
	"github.com/labctl/labctl/internal/state"
)

// outline is what a lab file came to, without its scenarios. It is kept with the lab's state, so that what is not
// about scenarios need not understand the file.
type outline struct {
	Title   string           `json:"title,omitempty"`
	TTL     time.Duration    `json:"ttl,omitempty"` // nanoseconds
	Host    *labfile.Host    `json:"host,omitempty"`
	Cluster *labfile.Cluster `json:"cluster"`
	Images  []string         `json:"images,omitempty"` // what the mirror serves
}

// remember puts a lab as it is about to be applied into its state.
func remember(st *state.State, declared *labfile.Lab, src labfile.Source) error {
	st.Title, st.File, st.FileName, st.FileBytes = declared.Title, absolute(src.Name), src.Name, string(src.Bytes)
	st.Manifests = map[string]string{}
	for path, text := range declared.Files {
		st.Manifests[path] = string(text)
	}
	st.Given = string(declared.VariableValues)
	return rememberOutline(st, declared)
}

// rememberOutline is the part of remember that a scenario which is added later changes.
func rememberOutline(st *state.State, declared *labfile.Lab) error {
	raw, err := json.Marshal(outline{declared.Title, declared.TTL, declared.Host, declared.Cluster, imagesOf(declared.Scenarios)})
	if err != nil {
		return fmt.Errorf("remembering what lab %s declares: %w", declared.Name, err)
	}
	st.Declared = raw
	return nil
}

// Invalid is the error of a lab that cannot be reopened because this labctl finds errors in its file.
type Invalid struct{ Diagnostics hcl.Diagnostics }

func (e *Invalid) Error() string { return e.Diagnostics.Error() }

// As gives it its class.
func (e *Invalid) As(target any) bool {
	class, ok := target.(**clierr.Error)
	if ok {
		*class = &clierr.Error{Class: clierr.Usage, Err: errors.New(e.Error())}
	}
	return ok
}

// Detail is how much of a lab is reopened.
type Detail int

const (
	// Whole is the lab as it was applied, scenarios and all.
	Whole Detail = iota
	// Outline is the lab without its scenarios: its file is not read.
	Outline
	// Understood is Whole; but of a lab whose file this labctl does not understand, as one of another version may
	// not, it is Outline, and Machine.Events is told so.
	Understood
)

// Reopen opens a lab as it was applied: that of the name, else $LABCTL_LAB's, else the only one that is up. It
// refuses (clierr.Refused) another owner's.
func (m *Machine) Reopen(ctx context.Context, name string, detail Detail) (*Lab, error) {
	name, err := m.pick(ctx, name)
	if err != nil {
		return nil, err
	}
	files, st, err := m.load(ctx, name)
	if err != nil {
		return nil, err
	}
	declared, images, err := m.read(st, detail)
	if err != nil {
		return nil, err
	}
	host, err := hostOf(st)
	if err != nil {
		return nil, err
	}
	if declared.Host != nil && host.Region != "" {
		declared.Host.Region = host.Region // that of the file may have come from a variable
	}
	return m.assemble(ctx, declared, images, files, st)
}

// read returns the lab that a state is about, and the images that its mirror serves.
func (m *Machine) read(st *state.State, detail Detail) (*labfile.Lab, []string, error) {
	var kept outline
	known := len(st.Declared) > 0 && json.Unmarshal(st.Declared, &kept) == nil && kept.Cluster != nil
	bare := &labfile.Lab{Name: st.Lab, Title: kept.Title, TTL: kept.TTL, Path: st.FileName, Host: kept.Host, Cluster: kept.Cluster}
	if detail == Outline && known {
		return bare, kept.Images, nil
	}
	declared, err := m.applied(st)
	switch {
	case err != nil && detail == Understood && known:
		m.Events.Emit(event.Notice{Text: "this labctl does not understand the file of lab " + st.Lab + "; its scenarios are left out"})
		return bare, kept.Images, nil
	case err != nil:
		return nil, nil, err
	}
	images := imagesOf(declared.Scenarios)
	if detail == Outline { // applied by a labctl that did not keep it
		declared.Scenarios = nil
	}
	return declared, images, nil
}

// applied is the lab as it was applied, scenarios and all.
func (m *Machine) applied(st *state.State) (*labfile.Lab, error) {
	kept := labfile.Files{}
	for path, text := range st.Manifests {
		kept[path] = []byte(text)
	}
	src := labfile.Source{Name: st.FileName, Bytes: []byte(st.FileBytes), Dir: kept}
	if st.Manifests == nil && filepath.IsAbs(st.File) {
		src.Dir = plainfile.Folder(filepath.Dir(st.File)) // applied by a labctl that did not keep them
	}
	// Neither the environment nor .labvars count: the values are those of the `up`.
	declared, diags := parse(src, labfile.Options{
		Name: st.Name, Local: st.Local, LabVars: []labfile.Source{{Name: "state", Bytes: []byte(st.Given)}},
	})
	if diags.HasErrors() {
		return nil, &Invalid{diags}
	}
	m.addRemembered(declared, st)
	return declared, nil
}

// load reads the state of a lab that is up, and refuses another owner's.
func (m *Machine) load(ctx context.Context, name string) (*state.Lab, *state.State, error) {
	home, err := m.Home()
	if err != nil {
		return nil, nil, err
	}
	files := home.Lab(name)
	st, err := files.Load()
	if errors.Is(err, fs.ErrNotExist) {
		if err := m.explainStateless(ctx, name); err != nil {
			return nil, nil, err
		}
		return nil, nil, clierr.New(clierr.Usage, "no lab %q is up on this machine", name).
			WithNext("`labctl status` lists what is up; `labctl up FILE` starts a lab.")
	}
	if err != nil {
		return nil, nil, err
	}
	owner, err := m.owner()
	if err != nil {
		return nil, nil, err
	}
	// The owner of a lab on AWS is found out from AWS; that its account is the right one is checked there.
	if st.Owner != owner && (m.Owner != "" || len(st.Host) == 0) {
		return nil, nil, foreignLab(name, st.Owner, owner)
	}
	return files, st, nil
}
