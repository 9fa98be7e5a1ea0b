package cli

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/lab"
)

// What a removal that was cut short has removed is said, and that it goes on, unless its error says so itself.
func TestARemovalThatIsCutShort(t *testing.T) {
	const gone, goesOn = "Removed and seen to be gone: instance i-1\n", "Nothing was forgotten: the same command goes on from here.\n"
	unknown := clierr.New(clierr.Inconclusive, "no answer")
	removed := []string{"instance i-1"}
	for name, c := range map[string]struct {
		receipt lab.Receipt
		err     error
		want    string
	}{
		"nothing removed":         {lab.Receipt{}, unknown, goesOn},
		"something removed":       {lab.Receipt{Removed: removed}, unknown, gone + goesOn},
		"with something to do":    {lab.Receipt{}, clierr.New(clierr.Inconclusive, "no answer").WithNext("Check the network."), goesOn},
		"the error says so":       {lab.Receipt{}, clierr.New(clierr.Inconclusive, "no engine").WithNext("Nothing was forgotten: start it."), ""},
		"it is forgotten":         {lab.Receipt{Removed: removed, Forgotten: true}, unknown, gone},
		"refused":                 {lab.Receipt{}, clierr.New(clierr.Refused, "denied"), ""},
		"refused in another part": {lab.Receipt{Removed: removed}, clierr.New(clierr.Refused, "denied"), gone},
		"failed":                  {lab.Receipt{Removed: removed}, errors.New("no"), gone},
	} {
		file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		(&downOptions{app: newApp(Process{Err: file})}).sayCutShort(&c.receipt, c.err)
		if said, err := os.ReadFile(file.Name()); err != nil || string(said) != c.want {
			t.Errorf("%s: it says %q, %v; want %q", name, said, err, c.want)
		}
	}
}
