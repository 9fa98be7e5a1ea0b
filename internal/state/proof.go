package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ProofRecord is what a passed proof of a scenario came to.
type ProofRecord struct {
	Scenario string    `json:"scenario"`
	Level    string    `json:"level"`
	Labctl   string    `json:"labctl"` // the version that proved it
	Time     time.Time `json:"time"`
}

func (h Home) proof(hash string) string { return filepath.Join(h.Dir, "proofs", hash+".json") }

// Proof returns what is recorded of the scenario with this fingerprint. One that cannot be read is none.
func (h Home) Proof(hash string) (ProofRecord, bool) {
	var r ProofRecord
	text, err := os.ReadFile(h.proof(hash))
	if hash == "" || err != nil || json.Unmarshal(text, &r) != nil {
		return ProofRecord{}, false
	}
	return r, true
}

// KeepProof records a passed proof, of now.
func (h Home) KeepProof(hash string, r ProofRecord) error {
	r.Time = h.now().UTC().Truncate(time.Second)
	text, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(h.proof(hash)), 0o700)
	}
	if err == nil {
		err = osDisk.replace(h.proof(hash), append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("recording a proof: %w", err)
	}
	return nil
}

// DropProof forgets a proof: it was made again and did not pass.
func (h Home) DropProof(hash string) error {
	if err := os.Remove(h.proof(hash)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forgetting a proof: %w", err)
	}
	return nil
}
