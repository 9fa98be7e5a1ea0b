package lab

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/plainfile"
	"github.com/labctl/labctl/labs"
	"github.com/labctl/labctl/scenarios"
)

// Find returns the scenarios that an author means: that of the folder which has its scenario.hcl, those that a lab file
// (NAME.hcl) defines itself, or one by name, which is the lab's own, else the catalogue's. The error is of class
// clierr.Usage, and an *Invalid where a file is not as it has to be.
func (l *Lab) Find(what string) ([]*labfile.Scenario, error) {
	if info, err := os.Stat(what); err == nil && info.IsDir() {
		return readFolder(what)
	}
	if strings.HasSuffix(what, ".hcl") {
		return l.m.definedIn(what)
	}
	if sc, err := l.Scenario(what); err == nil {
		return []*labfile.Scenario{sc}, nil
	}
	load, ok := scenarios.Definitions()[what]
	if !ok {
		return nil, clierr.New(clierr.Usage, "there is no scenario %q in lab %s or the catalogue, and no folder of that name", what, l.Name()).
			WithNext("`labctl scenario` lists them.")
	}
	def, err := load()
	if err != nil {
		return nil, err
	}
	return []*labfile.Scenario{WithDefaults(def)}, nil
}

// definedIn returns the scenarios that a lab file defines itself.
func (m *Machine) definedIn(path string) ([]*labfile.Scenario, error) {
	wd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	src, err := labfile.Find(path, wd, labs.FS())
	if err != nil {
		return nil, err
	}
	declared, diags, err := m.Parse(src, FileOptions{Local: true})
	if err != nil {
		return nil, err
	}
	if diags.HasErrors() {
		return nil, &Invalid{diags}
	}
	var own []*labfile.Scenario
	for _, sc := range declared.Scenarios {
		if sc.Definition.Range.Filename == declared.Path {
			own = append(own, sc)
		}
	}
	if len(own) == 0 {
		return nil, clierr.New(clierr.Usage, "%s defines no scenario of its own", path).WithNext("`labctl scenario test NAME` proves one of the catalogue.")
	}
	return own, nil
}

// readFolder reads the scenario of a folder.
func readFolder(folder string) ([]*labfile.Scenario, error) {
	path := filepath.Join(folder, "scenario.hcl")
	text, err := plainfile.Read(path, labfile.MaxBytes+1) // one more than is taken, so that it is told of
	if err != nil {
		return nil, clierr.New(clierr.Usage, "reading the scenario of %s: %w", folder, err).WithNext("A scenario's folder has a scenario.hcl: see CONTRIBUTING.md.")
	}
	def, diags := labfile.ParseDefinition(labfile.Source{Name: path, Bytes: text, Dir: plainfile.Folder(folder)})
	if diags.HasErrors() {
		return nil, &Invalid{diags}
	}
	return []*labfile.Scenario{WithDefaults(def)}, nil
}
