package labfile

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/plainfile"
)

const (
	extension = ".hcl"
	// embeddedPrefix begins the name of a lab that labctl carries within it.
	embeddedPrefix = "embedded:labs/"
	// Stdin, given for a lab file, means standard input.
	Stdin = "-"
)

// Find reads the lab file that a user means by name. In this order: the path as given, the path
// with .hcl, both relative to the folder dir; the embedded lab of that name, with or without .hcl;
// "embedded:labs/NAME.hcl" is always the embedded one. Source.Name says which it was. A file may lie
// anywhere, but it must be a regular one of at most MaxBytes. Errors are of class usage.
func Find(name, dir string, embedded fs.FS) (Source, error) {
	if name == "" {
		return Source{}, clierr.New(clierr.Usage, "finding the lab file: no name is given").WithNext("%s", known(name, embedded))
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
		text, err := plainfile.Read(full, MaxBytes)
		switch {
		case err == nil:
			return Source{Name: path, Bytes: text, Dir: besideFile(full)}, nil
		case errors.Is(err, plainfile.ErrFolder):
			// A folder day10 does not stand in the way of day10.hcl or of the embedded lab.
			folder = err
		case errors.Is(err, plainfile.ErrSpecial):
			return Source{}, clierr.New(clierr.Usage, "reading the lab file %s: %w", path, err).
				WithNext("Give a file, or %s for FILE and the lab on standard input.", Stdin)
		case !isAbsent(err):
			return Source{}, clierr.New(clierr.Usage, "reading the lab file %s: %w", path, err)
		}
	}
	if src, found := findEmbedded(name, embedded); found {
		return src, nil
	}
	if folder != nil {
		return Source{}, clierr.New(clierr.Usage, "reading the lab file %s: %w", name, folder).WithNext("Give the file itself.")
	}
	return Source{}, notFound(name, name, embedded)
}

// isAbsent reports whether there is no such file. A path through a file, such as day10.hcl/x, and
// one that no file can have do not exist either.
func isAbsent(err error) bool {
	for _, absent := range []error{fs.ErrNotExist, syscall.ENOTDIR, syscall.ENAMETOOLONG, syscall.EINVAL} {
		if errors.Is(err, absent) {
			return true
		}
	}
	return false
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
	err := clierr.New(clierr.Usage, "finding the lab file %s: there is no such file and no embedded lab of that name", name)
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
