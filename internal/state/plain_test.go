package state

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/labctl/labctl/internal/plainfile"
)

// A pipe or a device in a file's place is said, and neither waited for nor read to its end.
func TestFilesAreRegular(t *testing.T) {
	lab := testLab(t)
	if err := lab.Save(&State{Lab: "demo"}); err != nil {
		t.Fatal(err)
	}
	journal, err := lab.OpenJournal()
	if err != nil {
		t.Fatal(err)
	}
	for file, use := range map[string]func() error{
		StateFile:   func() error { _, err := lab.Load(); return err },
		JournalFile: func() error { _, err := journal.Records(); return err },
		LockFile:    func() error { _, err := lab.readHolder(); return err },
	} {
		for what, put := range map[string]func(string) error{
			"a pipe":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
			"a device": func(path string) error { return os.Symlink("/dev/zero", path) },
		} {
			path := lab.Path(file)
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			if err := put(path); err != nil {
				t.Fatal(err)
			}
			if err := use(); !errors.Is(err, plainfile.ErrSpecial) || file != LockFile && !strings.Contains(err.Error(), path) {
				t.Errorf("%s is %s: %v", file, what, err)
			}
		}
	}
	if _, err := journal.Begin(Act{Verb: "run", Object: "container/x"}); !errors.Is(err, plainfile.ErrSpecial) {
		t.Errorf("written into a device: %v", err)
	}
}
