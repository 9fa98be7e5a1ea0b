package labfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/labctl/labctl/internal/fault"
)

const (
	extension = ".hcl"
	// embeddedPrefix begins the name of a lab that labctl carries within it.
	embeddedPrefix = "embedded:labs/"
)

// Find reads the lab file that a user means by name. In this order: the path as given, the path
// with .hcl, both relative to the folder dir; the embedded lab of that name, with or without .hcl;
// "embedded:labs/NAME.hcl" is always the embedded one. Source.Name says which it was. A file is
// read only as far as Parse accepts. Errors are of class usage.
func Find(name, dir string, embedded fs.FS) (Source, error) {
	if name == "" {
		return Source{}, fault.New(fault.Usage, "finding the lab file: no name is given").WithNext("%s", known(name, embedded))
	}
	if inner, is := strings.CutPrefix(name, embeddedPrefix); is {
		if src, found := findEmbedded(inner, embedded); found {
			return src, nil
		}
		return Source{}, notFound(name, inner, embedded)
	}
	var folder error
	for _, path := range []string{name, name + extension} {
		full := path
		if !filepath.IsAbs(full) {
			full = filepath.Join(dir, path)
		}
		text, err := readFile(full)
		switch {
		case err == nil:
			return Source{Name: path, Bytes: text, Dir: os.DirFS(filepath.Dir(full))}, nil
		case errors.Is(err, errFolder):
			// A folder day10 does not stand in the way of day10.hcl or of the embedded lab.
			folder = err
		case !errors.Is(err, fs.ErrNotExist):
			return Source{}, fault.New(fault.Usage, "reading the lab file %s: %w", path, reason(err))
		}
	}
	if src, found := findEmbedded(name, embedded); found {
		return src, nil
	}
	if folder != nil {
		return Source{}, fault.New(fault.Usage, "reading the lab file %s: %w", name, folder).WithNext("Give the file itself.")
	}
	return Source{}, notFound(name, name, embedded)
}

var errFolder = errors.New("it is a folder")

// readFile reads one byte more than Parse accepts at most, so that a huge file costs nothing.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		// A path through a file, such as day10.hcl/x, does not exist either.
		if strings.Contains(err.Error(), "not a directory") || strings.Contains(err.Error(), "name too long") || strings.Contains(err.Error(), "invalid argument") {
			return nil, fs.ErrNotExist
		}
		return nil, err
	}
	if info.IsDir() {
		return nil, errFolder
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, MaxBytes+1))
}

func findEmbedded(name string, embedded fs.FS) (Source, bool) {
	if embedded == nil {
		return Source{}, false
	}
	for _, file := range []string{name, name + extension} {
		if !fs.ValidPath(file) || !strings.HasSuffix(file, extension) {
			continue
		}
		if text, err := fs.ReadFile(embedded, file); err == nil {
			return Source{Name: embeddedPrefix + file, Bytes: text, Dir: embedded}, true
		}
	}
	return Source{}, false
}

// Embedded returns the names of the labs that labctl carries within it, without .hcl, sorted.
func Embedded(embedded fs.FS) []string {
	if embedded == nil {
		return nil
	}
	files, _ := fs.Glob(embedded, "*"+extension)
	names := make([]string, 0, len(files))
	for _, file := range files {
		names = append(names, strings.TrimSuffix(file, extension))
	}
	slices.Sort(names)
	return names
}

func notFound(name, inner string, embedded fs.FS) error {
	err := fault.New(fault.Usage, "finding the lab file %s: there is no such file and no embedded lab of that name", name)
	if next := known(inner, embedded); next != "" {
		err = err.WithNext("%s", next)
	}
	return err
}

// known says which embedded labs there are.
func known(name string, embedded fs.FS) string {
	names := Embedded(embedded)
	if len(names) == 0 {
		return ""
	}
	hint := didYouMean(strings.TrimSuffix(filepath.Base(name), extension), names)
	return strings.TrimSpace(fmt.Sprintf("labctl's own labs are: %s.%s", strings.Join(names, ", "), hint))
}

// reason strips the path off an error that is about to be named with it.
func reason(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
