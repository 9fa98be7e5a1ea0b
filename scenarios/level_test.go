package scenarios

import (
	"testing"

	"github.com/labctl/labctl/internal/labfile"
)

// The catalogue is shown as proven, which takes as much as it takes of any scenario.
func TestTheCatalogueCanBeProven(t *testing.T) {
	for name, load := range Definitions() {
		d, err := load()
		if err != nil {
			t.Fatal(err)
		}
		if len(d.WrongFixes) < labfile.ProvenBy && len(d.Disturbances) < labfile.ProvenBy {
			t.Errorf("%s has fewer than %d wrong fixes or disturbances", name, labfile.ProvenBy)
		}
		if hash := d.Fingerprint(); len(hash) != 64 {
			t.Errorf("%s has the fingerprint %q", name, hash)
		}
	}
}
