package plainfile

import (
	"io/fs"
	"os"
	"path/filepath"
)

// Folder holds the files below a folder, and none outside: the kernel follows a link only while it
// stays within. Opening does not wait, so that of a pipe comes back at once.
type Folder string

// Open implements fs.FS.
func (f Folder) Open(name string) (fs.File, error) {
	root, err := f.root("open", name)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.OpenFile(filepath.FromSlash(name), openFlags, 0)
}

// Stat implements fs.StatFS.
func (f Folder) Stat(name string) (fs.FileInfo, error) {
	root, err := f.root("stat", name)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.Stat(filepath.FromSlash(name))
}

func (f Folder) root(op, name string) (*os.Root, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return os.OpenRoot(string(f))
}
