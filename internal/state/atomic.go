package state

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// disk is what replacing a file needs of the operating system; tests put one that fails in its place.
type disk struct {
	create func(path string) (tempFile, error)
	rename func(from, to string) error
}

type tempFile interface {
	io.Writer
	Sync() error
	Close() error
}

var osDisk = disk{
	create: func(path string) (tempFile, error) {
		return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	},
	rename: os.Rename,
}

// replace writes data beside path, syncs it and renames it over path. On an error before the rename,
// path is as it was.
func (d disk) replace(path string, data []byte) error {
	dropStaleTemps(path)
	temp, f, err := d.createTemp(path)
	if err != nil {
		return err
	}
	err = writeAndClose(f, data)
	if err == nil {
		err = d.rename(temp, path)
	}
	if err != nil {
		// Not after a rename: the name may be another goroutine's by then.
		os.Remove(temp)
		return err
	}
	return syncDir(filepath.Dir(path))
}

// writeAndClose heeds all three errors: some file systems report a full disk only at sync or close.
func writeAndClose(f tempFile, data []byte) error {
	if _, err := f.Write(data); err != nil {
		f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return fmt.Errorf("sync: %w", err)
	}
	return f.Close()
}

func (d disk) createTemp(path string) (string, tempFile, error) {
	for i := 0; ; i++ {
		temp := fmt.Sprintf("%s%d.%d", tempPrefix(path), os.Getpid(), i)
		f, err := d.create(temp)
		if errors.Is(err, os.ErrExist) && i < 1000 {
			continue // another goroutine of this process
		}
		return temp, f, err
	}
}

// dropStaleTemps removes what writers of path left behind that were killed before their rename. A
// temporary file's name holds its writer's process id, so that one which is still being written stays.
func dropStaleTemps(path string) {
	prefix := filepath.Base(tempPrefix(path))
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return
	}
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), prefix)
		if !ok {
			continue
		}
		pid, _, _ := strings.Cut(rest, ".")
		if n, err := strconv.Atoi(pid); err != nil || !processRuns(n) {
			os.Remove(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
}

func tempPrefix(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp.")
}

// syncDir makes a rename in dir last. File systems that cannot sync a directory say EINVAL or
// ENOTSUP; they have nothing to add to it.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}

// processRuns says whether a process of that id runs on this machine, whoever owns it.
func processRuns(pid int) bool {
	if pid <= 0 {
		return false
	}
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
