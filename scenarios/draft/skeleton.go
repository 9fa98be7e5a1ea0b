package draft

import (
	"embed"
	"io/fs"
	"strings"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/labfile"
)

//go:embed skeleton
var skeletons embed.FS

// Skeleton returns a small scenario of a type that works as it is, for an author to change. Errors are of class usage.
func Skeleton(name string, of labfile.Type) (*Draft, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	d := &Draft{Name: name, Type: of}
	folder := "skeleton/" + string(of)
	if _, err := fs.Stat(skeletons, folder+"/scenario.hcl"); err != nil {
		return nil, clierr.New(clierr.Usage, "--type %q is none of break, task and demo", of)
	}
	err := fs.WalkDir(skeletons, folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(skeletons, path)
		f := File{strings.TrimPrefix(path, folder+"/"), []byte(strings.ReplaceAll(string(text), "NAME", name))}
		if f.Path == "scenario.hcl" {
			d.Files = append([]File{f}, d.Files...)
		} else {
			d.Files = append(d.Files, f)
		}
		return err
	})
	return d, err
}

// checkName refuses what cannot be the name of a scenario.
func checkName(name string) error {
	if wrong := labfile.WrongScenarioName(name); wrong != "" {
		return clierr.New(clierr.Usage, "%s", wrong)
	}
	return nil
}
