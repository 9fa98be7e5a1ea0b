package lab

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/state"
)

// What a removal keeps is only told: that it cannot be asked keeps no lab.
func TestALabIsForgottenThoughNobodyKnowsWhatIsKept(t *testing.T) {
	m := laptop(t, true)
	script := "#!/bin/sh\ncase \"$*\" in *labctl.cache*) echo it hangs >&2; exit 1 ;; esac\n"
	if err := os.WriteFile(filepath.Join(m.Getenv("PATH"), "docker"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	owner, err := m.owner()
	if err != nil {
		t.Fatal(err)
	}
	home, err := m.Home()
	if err != nil {
		t.Fatal(err)
	}
	files := home.Lab("a")
	if err := files.Save(&state.State{Lab: "a", Owner: owner}); err != nil {
		t.Fatal(err)
	}
	r, err := m.Destroy(t.Context(), Target{Lab: "a"})
	if err == nil || !strings.Contains(err.Error(), "it hangs") {
		t.Errorf("that it could not be asked is not said: %v", err)
	}
	if r == nil || !r.Forgotten || !slices.Equal(r.Removed, []string{"files in " + files.Dir()}) {
		t.Errorf("the receipt is %+v", r)
	}
	if _, err := files.Load(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("afterwards the state reads: %v", err)
	}
}

// Without anything up what is left of removals that were cut short goes.
func TestDestroyOfNothingTidiesUp(t *testing.T) {
	m := laptop(t, true)
	home, err := m.Home()
	if err != nil {
		t.Fatal(err)
	}
	aside := filepath.Join(home.Dir, "labs", ".a.removed.1")
	if err := os.MkdirAll(aside, 0o700); err != nil {
		t.Fatal(err)
	}
	r, err := m.Destroy(t.Context(), Target{})
	if err != nil || !r.NothingUp || r.Removed == nil {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := os.Stat(aside); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what a removal has left is still there: %v", err)
	}
}
