package draft

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/plainfile"
	"github.com/labctl/labctl/internal/untrusted"
)

// The bounds of what is read of an exercise. A file has at most labfile.MaxBytes.
const (
	maxFiles = 200
	maxDepth = 8
	maxTotal = 8 << 20
)

// formats are the forms of exercises that can be read, by the file that tells which it is. Plain has none, and is last.
var formats = []struct {
	name, file string
	read       func(*exercise) error
}{
	{"k8s-bench", "task.yaml", readBench},
	{"kubeasy", "challenge.yaml", readKubeasy},
	{"killercoda", "index.json", readKillercoda},
	{"plain", "", readPlain},
}

// Formats are the names of the forms of exercises that Import reads.
func Formats() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// Import drafts a scenario from the exercise in dir. The format is found by what lies there where it is empty. Errors name
// the file and the line, and are of class usage.
func Import(name string, dir fs.FS, format string) (*Draft, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if format != "" && !slices.Contains(Formats(), format) {
		return nil, clierr.New(clierr.Usage, "--format %q is none of %s", format, strings.Join(Formats(), ", "))
	}
	files, err := readAll(dir)
	if err != nil {
		return nil, err
	}
	for _, f := range formats {
		_, there := files[f.file]
		if f.name != format && (format != "" || f.file != "" && !there) {
			continue
		}
		if f.file != "" && !there {
			return nil, clierr.New(clierr.Usage, "--format %s: there is no %s in the folder", format, f.file)
		}
		e := &exercise{name: name, format: f.name, files: files, scripts: map[string]bool{}, seeded: map[string]bool{}}
		if err := f.read(e); err != nil {
			return nil, err
		}
		return e.draft()
	}
	return nil, clierr.New(clierr.Usage, "no format fits")
}

// readAll reads the text files of an exercise. Links are followed as far as dir lets them; files that are hidden are left out.
func readAll(dir fs.FS) (map[string][]byte, error) {
	files, total := map[string][]byte{}, 0
	err := fs.WalkDir(walkable{dir}, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return refuse(name, 0, "%v", err)
		case name != "." && strings.HasPrefix(path.Base(name), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir() && strings.Count(name, "/") >= maxDepth:
			return refuse(name, 0, "folders are nested deeper than %d", maxDepth)
		case entry.IsDir():
			return nil
		case len(files) == maxFiles:
			return refuse(name, 0, "the folder holds more than %d files", maxFiles)
		}
		text, err := plainfile.ReadFS(dir, name, labfile.MaxBytes)
		if errors.Is(err, plainfile.ErrFolder) { // a link to a folder: what lies there is read where it is
			return nil
		}
		if err != nil {
			return refuse(name, 0, "%v", err)
		}
		if total += len(text); total > maxTotal {
			return refuse(name, 0, "all files together hold more than %d MiB", maxTotal>>20)
		}
		files[name] = text
		return nil
	})
	return files, err
}

// walkable lists folders of a file system that only opens them.
type walkable struct{ fs.FS }

func (w walkable) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(w.FS, name)
	if len(entries) > 2*maxFiles {
		return nil, errors.New("there are too many files in it")
	}
	return entries, err
}

// refuse says what is wrong with an exercise, and where.
func refuse(file string, line int, format string, args ...any) error {
	place := Note{File: untrusted.Line(file), Line: line}.Place()
	return clierr.New(clierr.Usage, place+": "+format, args...).WithNext("Nothing was made.")
}

// text is a file of the exercise as text, by a path from within another file of it.
func (e *exercise) text(name, from string, line int) (string, error) {
	clean := path.Clean(strings.TrimPrefix(name, "./"))
	if !fs.ValidPath(clean) {
		return "", refuse(from, line, "%q leads out of the folder", untrusted.Line(name))
	}
	text, ok := e.files[clean]
	switch {
	case !ok:
		return "", refuse(from, line, "there is no file %q", untrusted.Line(name))
	case !utf8.Valid(text) || strings.ContainsRune(string(text), 0):
		return "", refuse(clean, 0, "it is not text")
	}
	return string(text), nil
}
