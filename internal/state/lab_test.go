package state

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
)

func TestALabsDirectoryIsNoLink(t *testing.T) {
	home, elsewhere := Home{Dir: t.TempDir()}, t.TempDir()
	if err := os.Chmod(elsewhere, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(home.labs(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(home.labs(), "x")); err != nil {
		t.Fatal(err)
	}
	lab := home.Lab("x")
	if err := lab.Save(&State{Lab: "x"}); clierr.ClassOf(err) != clierr.Refused {
		t.Errorf("saving: %v", err)
	}
	if j, err := lab.OpenJournal(); err == nil {
		if _, err := j.Begin(Act{Verb: "v", Object: "o"}); clierr.ClassOf(err) != clierr.Refused {
			t.Errorf("journal: %v", err)
		}
	}
	info, err := os.Stat(elsewhere)
	entries, rerr := os.ReadDir(elsewhere)
	if err != nil || rerr != nil || info.Mode().Perm() != 0o755 || len(entries) > 0 {
		t.Errorf("mode %v, %v, entries %v, %v", info.Mode(), err, entries, rerr)
	}
}
