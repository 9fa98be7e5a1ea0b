// Package draft makes a scenario's folder for its author: a small one that works, or one from an exercise of another form. It
// reads that exercise's files and writes new ones. It runs nothing and asks no cluster.
package draft

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/plainfile"
)

// Draft is a scenario's folder before it is written.
type Draft struct {
	Name   string
	Format string // what it was made from; empty for the example
	Type   labfile.Type
	Files  []File // scenario.hcl first
	// Carried is what the scenario does as the exercise did; Open is what its author still has to do.
	Carried, Open []Note
}

// File is one of a draft. Its path has forward slashes and lies within the folder.
type File struct {
	Path  string
	Bytes []byte
}

// Note is about a place in the exercise that a draft was made from. Line 0 is the file as a whole.
type Note struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	Text string `json:"text"`
}

// Place is the file, and the line where there is one.
func (n Note) Place() string {
	if n.Line == 0 {
		return n.File
	}
	return fmt.Sprintf("%s:%d", n.File, n.Line)
}

// Invalid is what is wrong with the manifests of a draft.
type Invalid struct{ Diagnostics hcl.Diagnostics }

func (e *Invalid) Error() string {
	var all []string
	for _, p := range labfile.Problems(e.Diagnostics) {
		all = append(all, fmt.Sprintf("%s:%d: %s: %s", p.File, p.Line, p.Summary, p.Detail))
	}
	return strings.Join(all, "\n")
}

// Write makes the folder, which must not be there or be empty. All of it is written beside that place first, so that what is
// there at any moment is all of it or nothing. Errors are of class usage where the place is taken.
func (d *Draft) Write(folder string) error {
	folder = filepath.Clean(folder)
	if err := free(folder); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(folder), "."+filepath.Base(folder)+".new.")
	if err != nil {
		return clierr.New(clierr.Usage, "making %s: %w", folder, err)
	}
	defer os.RemoveAll(temp) // it is elsewhere when all went well
	if err := d.writeInto(temp); err != nil {
		return err
	}
	if err := os.Chmod(temp, 0o755); err != nil { // unlike a temporary folder, it is for others to read
		return err
	}
	if err := checkManifests(d, temp); err != nil {
		return err
	}
	// An empty folder of that name may be there. Remove takes no other, and Rename replaces no other.
	if err := os.Remove(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return taken(folder)
	}
	if err := os.Rename(temp, folder); err != nil {
		return clierr.New(clierr.Usage, "making %s: %w", folder, err)
	}
	return nil
}

// writeInto writes the files through an os.Root, so that no path leads out of the folder.
func (d *Draft) writeInto(folder string) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range d.Files {
		path := filepath.FromSlash(f.Path)
		err := root.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = root.WriteFile(path, f.Bytes, 0o644)
		}
		if err != nil {
			return fmt.Errorf("writing %s: %w", f.Path, err)
		}
	}
	return nil
}

// free says whether a folder can be made there.
func free(folder string) error {
	info, err := os.Lstat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return clierr.New(clierr.Usage, "making %s: %w", folder, err)
	case !info.IsDir():
		return taken(folder)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) > 0 {
		return taken(folder)
	}
	return nil
}

func taken(folder string) error {
	return clierr.New(clierr.Usage, "%s is there already, and not an empty folder", folder).WithNext("Give another place: --dir FOLDER.")
}

// checkManifests has what a draft seeds decoded as a lab would, by a definition that is sure to be valid but for them.
func checkManifests(d *Draft, folder string) error {
	paths := d.manifests()
	if len(paths) == 0 || d.Format == "" {
		return nil
	}
	text := "scenario \"x\" {\ntype = \"demo\"\ntitle = \"x\"\nsummary = \"x\"\n" +
		"seed {\nmanifests = " + list(paths) + "\ntemplates = false\n}\n" +
		"symptom {\ncondition \"x\" {\nsays = \"x\"\nkind = \"Pod\"\nname = \"x\"\nholds = can(self.spec)\n}\n}\n" +
		"disturbance \"a\" {\nsays = \"a\"\nrun = [\"a\"]\n}\ndisturbance \"b\" {\nsays = \"b\"\nrun = [\"b\"]\n}\n}\n"
	_, diags := labfile.ParseDefinition(labfile.Source{Name: "scenario.hcl", Bytes: []byte(text), Dir: plainfile.Folder(folder)})
	if diags.HasErrors() {
		return clierr.New(clierr.Usage, "the manifests cannot be seeded: %w", &Invalid{diags}).WithNext("Put them right where they come from, or leave them out. Nothing was made.")
	}
	return nil
}

// manifests are the paths of what is seeded.
func (d *Draft) manifests() (paths []string) {
	for _, f := range d.Files {
		if strings.HasPrefix(f.Path, "manifests/") {
			paths = append(paths, f.Path)
		}
	}
	return paths
}
