package state

import (
	"os"
	"testing"
)

func TestProofs(t *testing.T) {
	h := Home{Dir: t.TempDir()}
	if _, known := h.Proof("abc"); known {
		t.Error("known before it was kept")
	}
	if err := h.KeepProof("abc", ProofRecord{Scenario: "a", Level: "tested", Labctl: "1"}); err != nil {
		t.Fatal(err)
	}
	r, known := h.Proof("abc")
	if !known || r.Level != "tested" || r.Time.IsZero() {
		t.Errorf("kept: %v, %+v", known, r)
	}
	if info, err := os.Stat(h.proof("abc")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want mode 0600", info, err)
	}
	if err := os.WriteFile(h.proof("abc"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, known := h.Proof("abc"); known {
		t.Error("a broken record counts")
	}
	if err := h.DropProof("abc"); err != nil {
		t.Error(err)
	}
	if err := h.DropProof("abc"); err != nil {
		t.Errorf("dropping what is gone: %v", err)
	}
}
