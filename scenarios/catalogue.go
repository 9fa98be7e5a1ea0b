package scenarios

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/labctl/labctl/internal/labfile"
)

//go:embed */scenario.hcl */manifests */README.md
var files embed.FS

// Catalogue returns the scenarios that labctl brings along, by name. An error is a defect of the
// build: the catalogue is part of the binary.
func Catalogue() (map[string]*labfile.Definition, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, fmt.Errorf("reading the catalogue: %w", err)
	}
	all := map[string]*labfile.Definition{}
	for _, e := range entries {
		dir, err := fs.Sub(files, e.Name())
		if err != nil {
			return nil, fmt.Errorf("reading the catalogue: %w", err)
		}
		src, err := fs.ReadFile(dir, "scenario.hcl")
		if err != nil {
			return nil, fmt.Errorf("reading the catalogue: %w", err)
		}
		name := "embedded:scenarios/" + e.Name() + "/scenario.hcl"
		d, diags := labfile.ParseDefinition(labfile.Source{Name: name, Bytes: src, Dir: dir})
		if diags.HasErrors() {
			return nil, fmt.Errorf("reading the catalogue: %w", diags)
		}
		if d.Name != e.Name() {
			return nil, fmt.Errorf("reading the catalogue: %s declares scenario %q", name, d.Name)
		}
		all[d.Name] = d
	}
	return all, nil
}

// Readme returns the learner's page of a scenario of the catalogue, in Markdown; "" when the
// catalogue has none of that name.
func Readme(name string) string {
	text, err := fs.ReadFile(files, name+"/README.md")
	if err != nil {
		return ""
	}
	return string(text)
}
