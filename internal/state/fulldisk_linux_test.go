package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFullDisk fills a real file system. It needs the right to mount one.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("mounting a small tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmounting %s: %v", dir, err)
		}
	})
	lab := Home{Dir: dir}.Lab("demo")
	if err := lab.Save(&State{Lab: "demo", Owner: "old", FileBytes: strings.Repeat("x", 8<<10)}); err != nil {
		t.Fatal(err)
	}
	j, err := lab.OpenJournal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Begin(Act{Verb: "before"}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("filling the disk: %v; want %v", err, syscall.ENOSPC)
	}

	if err := lab.Save(&State{Lab: "demo", Owner: "new", FileBytes: strings.Repeat("y", 8<<10)}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Save: %v; want %v", err, syscall.ENOSPC)
	}
	if s, err := lab.Load(); err != nil || s.Owner != "old" {
		t.Errorf("Load = %+v, %v; want the old state", s, err)
	}
	if left := temps(t, lab); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	// The journal's page takes a few more records before it is full.
	written := 1
	for i := 0; ; i++ {
		if _, err = j.Begin(Act{Verb: "during", Detail: strings.Repeat("z", 700)}); err != nil {
			break
		}
		if written++; i > 1000 {
			t.Fatal("a full disk takes any number of records")
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Begin: %v; want %v", err, syscall.ENOSPC)
	}
	if data, _ := os.ReadFile(lab.Path(JournalFile)); !strings.HasSuffix(string(data), "\n") {
		t.Errorf("the journal ends in half a record: %q", data[max(0, len(data)-40):])
	}
	if lock, err := lab.Lock(t.Context(), Holder{}); err != nil {
		t.Errorf("Lock: %v; `down` would not work on a full disk", err)
	} else {
		lock.Release()
	}

	if err := os.Remove(filepath.Join(dir, "ballast")); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Begin(Act{Verb: "after"}); err != nil {
		t.Fatal(err)
	}
	records, err := j.Records()
	if err != nil || len(records) != written+1 || records[written].Verb != "after" {
		t.Errorf("%d records, %v; want the %d that were taken and the one after", len(records), err, written)
	}
	if err := lab.Remove(); err != nil {
		t.Error(err)
	}
	if labs, _ := (Home{Dir: dir}).Labs(); fmt.Sprint(labs) != "[]" {
		t.Errorf("labs after Remove: %v", labs)
	}
}

// TestRemoveOnFullDisk: no inode is left, not even for the directory that Remove moves things to.
func TestRemoveOnFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k,nr_inodes=16"); err != nil {
		t.Skipf("mounting a small tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmounting %s: %v", dir, err)
		}
	})
	lab := Home{Dir: dir}.Lab("demo")
	if err := lab.Save(&State{Lab: "demo"}); err != nil {
		t.Fatal(err)
	}
	var err error
	for i := 0; err == nil; i++ {
		err = os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o600)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := lab.Remove(); err != nil {
		t.Errorf("Remove: %v", err)
	}
	if _, err := os.Stat(lab.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there (%v)", lab.Dir(), err)
	}
}
