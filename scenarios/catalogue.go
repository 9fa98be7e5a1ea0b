package scenarios

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"sync"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/labfile"
)

//go:embed catalogue/*/scenario.hcl catalogue/*/manifests
var files embed.FS

var definitions = definitionsOf(files)

// Definitions returns the catalogue, which is the scenarios that labctl brings along. Each is parsed when it is first asked
// for, once per process, so that one that is invalid is in nobody's way but of who wants it: the error says which one it is
// and where it is wrong. The map is not to be changed; its functions may be called from several goroutines.
func Definitions() labfile.Definitions { return definitions }

// Lookup returns a scenario of the catalogue. Its error is of class clierr.Usage where there is none of that name.
func Lookup(name string) (*labfile.Definition, error) {
	load, ok := definitions[name]
	if !ok {
		return nil, clierr.New(clierr.Usage, "there is no scenario %q in the catalogue", name).WithNext("`labctl scenario` lists them.")
	}
	return load()
}

// definitionsOf returns the scenarios that lie in a folder catalogue, one in each folder below it.
func definitionsOf(files fs.FS) labfile.Definitions {
	all := labfile.Definitions{}
	folders, _ := fs.Glob(files, "catalogue/*") // the pattern is a good one
	for _, folder := range folders {
		all[path.Base(folder)] = sync.OnceValues(func() (*labfile.Definition, error) {
			d, err := definitionIn(files, folder)
			if err != nil {
				return nil, fmt.Errorf("the catalogue's scenario %s is invalid: %w", path.Base(folder), err)
			}
			return d, nil
		})
	}
	return all
}

func definitionIn(files fs.FS, folder string) (*labfile.Definition, error) {
	dir, err := fs.Sub(files, folder)
	if err != nil {
		return nil, err
	}
	text, err := fs.ReadFile(files, folder+"/scenario.hcl")
	if err != nil {
		return nil, err
	}
	d, diags := labfile.ParseDefinition(labfile.Source{Name: "embedded:scenarios/" + folder + "/scenario.hcl", Bytes: text, Dir: dir})
	switch {
	case diags.HasErrors():
		return nil, diags
	case d.Name != path.Base(folder):
		return nil, fmt.Errorf("%s: its name is %q, and that of its folder %q", d.Range, d.Name, path.Base(folder))
	}
	return d, nil
}
