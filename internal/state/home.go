// Package state keeps what labctl knows about a lab on the machine that it runs on: the state (what
// was applied), the journal (what was begun outside this machine's files, and whether it ended), the
// lock and the kubeconfig. It only reads and writes files. It never looks at the world and never
// decides: the world is the truth, and `down` works from the ownership marks when all of this is gone.
//
// Layout, in $LABCTL_HOME/labs/<lab>/: state.json, journal.ndjson, lock, kubeconfig, hints.json. Directories are
// 0700 and files 0600, because the kubeconfig holds a client key. docs/state.md describes the formats.
package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/labctl/labctl/internal/clierr"
)

// The files of a lab's directory.
const (
	StateFile      = "state.json"
	JournalFile    = "journal.ndjson"
	LockFile       = "lock"
	KubeconfigFile = "kubeconfig"
)

// Home is the directory that holds everything labctl keeps. It may be copied and used concurrently.
type Home struct {
	// Dir is an absolute path, see DefaultDir.
	Dir string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// DefaultDir returns the absolute directory that labctl uses: $LABCTL_HOME, else labctl below
// $XDG_STATE_HOME, else ~/.local/state/labctl. A relative $XDG_STATE_HOME is ignored, as the XDG base
// directory specification demands; a relative $LABCTL_HOME is taken from the working directory.
// Without any of them and without $HOME the error is a clierr.Usage.
func DefaultDir(getenv func(string) string) (string, error) {
	if dir := getenv("LABCTL_HOME"); dir != "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return "", clierr.New(clierr.Usage, "resolving LABCTL_HOME=%s: %w", dir, err)
		}
		return abs, nil
	}
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "labctl"), nil
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "labctl"), nil
	}
	return "", clierr.New(clierr.Usage, "finding a directory for labctl's state: neither LABCTL_HOME, XDG_STATE_HOME nor HOME is set").
		WithNext("Set LABCTL_HOME to a directory that you can write to.")
}

// Labs returns the names of the labs that have a directory, sorted; none is not an error.
func (h Home) Labs() ([]string, error) {
	entries, err := os.ReadDir(h.labs())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing labs: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && checkName(e.Name()) == nil {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// aside is in the names of directories that Remove renames away.
const aside = ".removed."

// Tidy removes what a Remove of any lab left when it was killed.
func (h Home) Tidy() error { return h.removeAside(".") }

// removeAside removes the directories that Remove renamed to names with this prefix.
func (h Home) removeAside(prefix string) error {
	entries, err := os.ReadDir(h.labs())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("removing a lab's files: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) && strings.Contains(e.Name(), aside) {
			if err := os.RemoveAll(filepath.Join(h.labs(), e.Name())); err != nil {
				return fmt.Errorf("removing a lab's files: %w", err)
			}
		}
	}
	return syncDir(h.labs())
}

// Lab returns the lab of that name without touching any file. A name that could lead out of the
// directory is refused (clierr.Usage) by every method that does.
func (h Home) Lab(name string) *Lab {
	return &Lab{home: h, name: name, disk: osDisk, grace: lockGrace}
}

func (h Home) labs() string { return filepath.Join(h.Dir, "labs") }

func (h Home) now() time.Time {
	if h.Now == nil {
		return time.Now()
	}
	return h.Now()
}

// checkName accepts what is one visible directory entry. What makes a good lab name is decided by
// package labfile; this is what keeps `labctl down ../x` inside.
func checkName(name string) error {
	if name == "" || len(name) > 200 || strings.HasPrefix(name, ".") || strings.ContainsAny(name, "/\\\x00") {
		return clierr.New(clierr.Usage, "%q is not the name of a lab", name).
			WithNext("Run `labctl status` for the labs that are there.")
	}
	return nil
}

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
