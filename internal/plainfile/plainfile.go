// Package plainfile reads and writes regular files, and reads no more than it is told to. It refuses everything else that a path can lead
// to: a device has no end, a pipe may never answer, and a link may lead to what was never meant.
package plainfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// The reasons to refuse a file. Callers name it, and say what to do.
var (
	ErrFolder   = errors.New("it is a folder")
	ErrSpecial  = errors.New("not a regular file")
	ErrTooLarge = errors.New("it is too large")
	ErrOutside  = errors.New("it leads out of the folder")
)

// openFlags do not wait for somebody to write into a pipe.
const openFlags = os.O_RDONLY | syscall.O_NONBLOCK

// Read returns a file of at most limit bytes. Links are followed: the path is the user's own. Errors
// do not hold the path.
func Read(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	return read(info, err, limit, func() (fs.File, error) { return os.OpenFile(path, openFlags, 0) })
}

// ReadFS is Read for a file of fsys. Links lead as far as fsys lets them.
func ReadFS(fsys fs.FS, name string, limit int64) ([]byte, error) {
	if !fs.ValidPath(name) {
		return nil, fs.ErrInvalid
	}
	info, err := fs.Stat(fsys, name)
	return read(info, err, limit, func() (fs.File, error) { return fsys.Open(name) })
}

// read opens only what is regular, since to open a device can be an act. It then asks the open file
// once more: the path may lead elsewhere by now.
func read(info fs.FileInfo, err error, limit int64, open func() (fs.File, error)) ([]byte, error) {
	if err == nil {
		err = regular(info)
	}
	if err != nil {
		return nil, reason(err)
	}
	file, err := open()
	if err != nil {
		return nil, reason(err)
	}
	defer file.Close()
	if info, err = file.Stat(); err == nil {
		err = regular(info)
	}
	if err != nil {
		return nil, reason(err)
	}
	return ReadAll(file, limit)
}

// Write replaces what the file at path holds, or makes it, readable to all.
func Write(path string, text []byte) error {
	file, err := Open(path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	if err = file.Truncate(0); err == nil {
		_, err = file.Write(text)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return reason(err)
	}
	return nil
}

// Open is os.OpenFile for regular files alone. O_TRUNC is not for it: what is opened is looked at
// before it is changed.
func Open(path string, flag int, perm fs.FileMode) (*os.File, error) {
	if info, err := os.Stat(path); err == nil {
		if err := regular(info); err != nil {
			return nil, err
		}
	}
	file, err := os.OpenFile(path, flag|syscall.O_NONBLOCK, perm)
	if err != nil {
		return nil, reason(err)
	}
	info, err := file.Stat()
	if err == nil {
		err = regular(info)
	}
	if err != nil {
		file.Close()
		return nil, reason(err)
	}
	return file, nil
}

// ReadAll returns what a stream holds, of at most limit bytes. The size that a file tells is no
// promise: it may grow, and those of /proc have none.
func ReadAll(r io.Reader, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, reason(err)
	case int64(len(text)) > limit:
		return nil, fmt.Errorf("%w: at most %s are read", ErrTooLarge, size(limit))
	}
	return text, nil
}

func regular(info fs.FileInfo) error {
	kind := ""
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		return ErrFolder
	case mode&fs.ModeNamedPipe != 0:
		kind = "a pipe"
	case mode&fs.ModeSocket != 0:
		kind = "a socket"
	case mode&fs.ModeDevice != 0:
		kind = "a device"
	default:
		kind = "something else"
	}
	return fmt.Errorf("it is %s, %w", kind, ErrSpecial)
}

// reason strips the path off an error, and gives the one of os.Root, which has no name, ours.
func reason(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	if err.Error() == "path escapes from parent" {
		return ErrOutside
	}
	return err
}

func size(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}
