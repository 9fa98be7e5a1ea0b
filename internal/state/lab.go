package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/labctl/labctl/internal/clierr"
)

// Lab is one lab's directory. It is immutable and safe for concurrent use; what its methods do to the
// files is safe against other processes too.
type Lab struct {
	home  Home
	name  string
	disk  disk
	grace time.Duration
}

// Dir returns the lab's directory, which need not exist.
func (l *Lab) Dir() string { return filepath.Join(l.home.labs(), l.name) }

// Path returns the path of one of the lab's files, which need not exist.
func (l *Lab) Path(file string) string { return filepath.Join(l.Dir(), file) }

// WriteFile replaces one of the lab's files, mode 0600, such that a reader sees the old contents or
// the new ones and nothing else, whatever happens meanwhile. It makes the directory.
func (l *Lab) WriteFile(file string, data []byte) error {
	if err := l.mkdir(); err != nil {
		return err
	}
	if err := l.disk.replace(l.Path(file), data); err != nil {
		return fmt.Errorf("writing %s: %w", l.Path(file), err)
	}
	return nil
}

// Remove deletes everything of the lab's directory; nil when there is none. The directory is renamed
// away first, so that whoever comes next starts from nothing even while this process still deletes,
// and so that a lock held in it stays with the old directory. What an earlier Remove left when it was
// killed goes as well.
func (l *Lab) Remove() error {
	if err := checkName(l.name); err != nil {
		return err
	}
	// A leading dot keeps it out of Labs.
	prefix := "." + l.name + aside
	if _, err := os.Lstat(l.Dir()); err == nil {
		dir, err := os.MkdirTemp(l.home.labs(), prefix)
		if err != nil {
			// A full disk must not keep a lab's files alive: then there is no place to move them to.
			if err := os.RemoveAll(l.Dir()); err != nil {
				return fmt.Errorf("removing the lab's files: %w", err)
			}
			return nil
		}
		if err := os.Rename(l.Dir(), filepath.Join(dir, l.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing the lab's files: %w", err)
		}
	}
	return l.home.removeAside(prefix)
}

// mkdir makes the lab's directory, 0700 even where a looser one was there before.
func (l *Lab) mkdir() error {
	if err := checkName(l.name); err != nil {
		return err
	}
	if err := os.MkdirAll(l.home.labs(), 0o700); err != nil {
		return fmt.Errorf("making the labs' directory: %w", err)
	}
	if err := os.Mkdir(l.Dir(), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making the lab's directory: %w", err)
	}
	info, err := os.Lstat(l.Dir())
	if err != nil {
		return fmt.Errorf("making the lab's directory: %w", err)
	}
	if !info.IsDir() {
		// A link leads to a place that somebody else chose: its mode would be changed and keys written there.
		return clierr.New(clierr.Refused, "%s is not a directory of its own (%s); nothing is written there", l.Dir(), info.Mode().Type()).
			WithNext("Remove it, or set LABCTL_HOME to another directory.")
	}
	if info.Mode().Perm() != 0o700 {
		if err := os.Chmod(l.Dir(), 0o700); err != nil {
			return fmt.Errorf("making the lab's directory private: %w", err)
		}
	}
	return nil
}
