package state

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// failingFile fails in one of its calls.
type failingFile struct {
	tempFile
	write, sync, close error
}

func (f failingFile) Write(p []byte) (int, error) {
	if f.write == nil {
		return f.tempFile.Write(p)
	}
	n, _ := f.tempFile.Write(p[:len(p)/2])
	return n, f.write
}

func (f failingFile) Sync() error { return errors.Join(f.tempFile.Sync(), f.sync) }

func (f failingFile) Close() error { return errors.Join(f.tempFile.Close(), f.close) }

func TestFailedSaveKeepsTheOldState(t *testing.T) {
	failing := func(f failingFile) disk {
		return disk{rename: os.Rename, create: func(path string) (tempFile, error) {
			var err error
			f.tempFile, err = osDisk.create(path)
			return f, err
		}}
	}
	full := syscall.ENOSPC
	for name, d := range map[string]disk{
		"create": {create: func(string) (tempFile, error) { return nil, full }, rename: os.Rename},
		"write":  failing(failingFile{write: full}),
		"sync":   failing(failingFile{sync: full}),
		"close":  failing(failingFile{close: full}),
		"rename": {create: osDisk.create, rename: func(string, string) error { return full }},
	} {
		t.Run(name, func(t *testing.T) {
			lab := testLab(t)
			if err := lab.Save(&State{Lab: "demo", Owner: "old"}); err != nil {
				t.Fatal(err)
			}
			lab.disk = d
			next := &State{Lab: "demo", Owner: "new"}
			if err := lab.Save(next); !errors.Is(err, full) {
				t.Errorf("Save: %v; want %v", err, full)
			}
			if next.Version != 0 {
				t.Error("Save marked a state as saved that is not")
			}
			if s, err := lab.Load(); err != nil || s.Owner != "old" {
				t.Errorf("Load = %+v, %v; want the old state", s, err)
			}
			if entries, _ := os.ReadDir(lab.Dir()); len(entries) != 1 {
				t.Errorf("left behind: %v", entries)
			}
		})
	}
}

func TestKilledBeforeRename(t *testing.T) {
	lab := testLab(t)
	if err := lab.Save(&State{Lab: "demo", Owner: "old"}); err != nil {
		t.Fatal(err)
	}
	h := start(t, lab.home.Dir, "die-renaming")
	if out, _ := io.ReadAll(h.out); len(out) > 0 {
		t.Fatalf("the helper says %s", out)
	}
	if err := h.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the helper ended with %v; want it killed", err)
	}
	if n := len(temps(t, lab)); n != 1 {
		t.Fatalf("%d temporary files lie there; want the one of the helper", n)
	}
	if s, err := lab.Load(); err != nil || s.Owner != "old" {
		t.Errorf("Load = %+v, %v; want the old state", s, err)
	}
	// One that is being written right now stays.
	ours := tempPrefix(lab.Path(StateFile)) + fmt.Sprint(os.Getpid()) + ".99"
	if err := os.WriteFile(ours, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := lab.Save(&State{Lab: "demo", Owner: "new"}); err != nil {
		t.Fatal(err)
	}
	if left := temps(t, lab); len(left) != 1 || left[0] != ours {
		t.Errorf("after the next Save there are %v; want %s alone", left, ours)
	}
}

func TestReadersSeeWholeStates(t *testing.T) {
	lab := testLab(t)
	if err := lab.Save(&State{Lab: "demo"}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 2)
	for w := range 2 {
		go func() {
			for i := range 50 {
				s := &State{Lab: "demo", FileBytes: strings.Repeat(fmt.Sprint(w), i*2000)}
				if err := lab.Save(s); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for writers := 2; writers > 0; {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			writers--
		default:
			if _, err := lab.Load(); err != nil {
				t.Fatalf("Load during Save: %v", err)
			}
		}
	}
	if left := temps(t, lab); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func temps(t *testing.T, lab *Lab) []string {
	t.Helper()
	names, err := filepath.Glob(tempPrefix(lab.Path(StateFile)) + "*")
	if err != nil {
		t.Fatal(err)
	}
	return names
}
