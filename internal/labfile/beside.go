package labfile

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/plainfile"
)

const (
	varsExtension = ".labvars"
	// MaxLabVars is how many .labvars files may lie beside a lab file.
	MaxLabVars = 100
)

// beside holds the files that a lab file may name: those below its own folder and, when the user
// reaches it by a link, then those below the folder of the file that the link leads to. A file of
// one name in both is the first one's. Nothing outside of them can be opened.
type beside []plainfile.Folder

// besideFile returns the files beside a lab file on the disk.
func besideFile(path string) beside {
	folder := filepath.Dir(path)
	dirs := beside{plainfile.Folder(folder)}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		// A folder that is itself reached by a link is the same folder.
		real, err := filepath.EvalSymlinks(folder)
		if other := filepath.Dir(target); err == nil && other != real {
			dirs = append(dirs, plainfile.Folder(other))
		}
	}
	return dirs
}

// Open implements fs.FS.
func (b beside) Open(name string) (file fs.File, err error) {
	for _, folder := range b {
		if file, err = folder.Open(name); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return file, err
}

// Stat implements fs.StatFS.
func (b beside) Stat(name string) (info fs.FileInfo, err error) {
	for _, folder := range b {
		if info, err = folder.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return info, err
}

// ReadDir implements fs.ReadDirFS.
func (b beside) ReadDir(name string) ([]fs.DirEntry, error) {
	var all []fs.DirEntry
	for _, folder := range b {
		entries, err := fs.ReadDir(folder, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, entry := range entries {
			if !slices.ContainsFunc(all, func(e fs.DirEntry) bool { return e.Name() == entry.Name() }) {
				all = append(all, entry)
			}
		}
	}
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return all, nil
}

// ReadBeside reads a file that a lab names from the files beside it: a regular one of at most
// MaxBytes. Everything that a lab file names is read by this function alone. Errors do not hold the
// path.
func ReadBeside(dir fs.FS, path string) ([]byte, error) {
	if dir == nil {
		return nil, errors.New("there is no folder to read it from")
	}
	if !fs.ValidPath(path) {
		return nil, errors.New("its path must be relative, with forward slashes and no .. in it")
	}
	return plainfile.ReadFS(dir, path, MaxBytes)
}

// cure says in a sentence what to do about a file that was refused, where there is something to say.
func cure(err error) string {
	switch {
	case errors.Is(err, plainfile.ErrOutside):
		return "A lab reads only what lies in the folder of its file: put a copy there."
	case errors.Is(err, plainfile.ErrSpecial):
		return "Put a regular file in its place."
	}
	return ""
}

// LabVars reads the .labvars files beside a lab file, in the order of their names. Errors are of
// class usage.
func LabVars(src Source) ([]Source, error) {
	if src.Dir == nil {
		return nil, nil
	}
	folder := filepath.Dir(src.Name)
	entries, err := fs.ReadDir(src.Dir, ".")
	if err != nil {
		return nil, clierr.New(clierr.Usage, "looking for %s files in %s: %w", varsExtension, folder, reason(err))
	}
	var all []Source
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), varsExtension) {
			continue
		}
		path := filepath.Join(folder, entry.Name())
		if len(all) == MaxLabVars {
			return nil, clierr.New(clierr.Usage, "there are more than %d %s files in %s", MaxLabVars, varsExtension, folder).
				WithNext("Put them together: the later one wins.")
		}
		text, err := ReadBeside(src.Dir, entry.Name())
		if err != nil {
			return nil, clierr.New(clierr.Usage, "reading %s: %w", path, err).WithNext("%s", cure(err))
		}
		all = append(all, Source{Name: path, Bytes: text})
	}
	return all, nil
}

// ReadStdin reads a lab file from a stream. What lies beside it is what the folder dir holds.
func ReadStdin(in io.Reader, dir string) (Source, error) {
	text, err := plainfile.ReadAll(in, MaxBytes)
	if err != nil {
		return Source{}, clierr.New(clierr.Usage, "reading the lab file from standard input: %w", err)
	}
	return Source{Name: Stdin, Bytes: text, Dir: beside{plainfile.Folder(dir)}}, nil
}
