package labfile

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"sync"
	"time"
)

// Files are files by their path, such as a lab's manifests as they were when it was applied. A Source.Dir
// made of them gives the same lab when the folder has moved or its files were changed. Read-only, and then
// safe for concurrent use.
type Files map[string][]byte

// Open implements fs.FS. There are no folders in it.
func (f Files) Open(name string) (fs.File, error) {
	text, ok := f[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &keptFile{name: name, size: int64(len(text)), Reader: bytes.NewReader(text)}, nil
}

// keptFile is an open file of Files, and its own description.
type keptFile struct {
	name string
	size int64
	*bytes.Reader
}

var _ io.Reader = (*keptFile)(nil)

func (f *keptFile) Stat() (fs.FileInfo, error) { return keptInfo{f}, nil }
func (f *keptFile) Close() error               { return nil }

type keptInfo struct{ *keptFile }

func (i keptInfo) Name() string       { return i.name }
func (i keptInfo) Size() int64        { return i.size }
func (i keptInfo) Mode() fs.FileMode  { return 0o400 }
func (i keptInfo) ModTime() time.Time { return time.Time{} }
func (i keptInfo) IsDir() bool        { return false }
func (i keptInfo) Sys() any           { return nil }

// folder reads each file of a folder once and keeps it: what is seeded later is what was validated, whatever
// becomes of the folder meanwhile. It is safe for concurrent use.
type folder struct {
	from fs.FS

	mu   sync.Mutex
	kept Files
}

// Open implements fs.FS.
func (f *folder) Open(name string) (fs.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, have := f.kept[name]; !have {
		text, err := ReadBeside(f.from, name)
		if err != nil {
			return nil, err
		}
		f.kept[name] = text
	}
	return f.kept.Open(name)
}

// files returns what was read so far.
func (f *folder) files() Files {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.kept)
}
