package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/labctl/labctl/internal/clierr"
)

// HintsFile is the file of a lab's directory that says which hints were shown.
const HintsFile = "hints.json"

// shownHints are the hints that were shown of one scenario since it was seeded.
type shownHints struct {
	Seeded time.Time `json:"seeded"`
	Hints  []string  `json:"hints"`
}

// ShownHints returns the hints of a scenario that were shown since it was seeded at this time.
func (l *Lab) ShownHints(scenario string, seeded time.Time) (map[string]bool, error) {
	all, err := l.hints()
	shown := map[string]bool{}
	if was := all[scenario]; was.Seeded.Equal(seeded) {
		for _, text := range was.Hints {
			shown[text] = true
		}
	}
	return shown, err
}

// RememberHints adds hints that were shown.
func (l *Lab) RememberHints(scenario string, seeded time.Time, texts ...string) error {
	all, err := l.hints()
	if err != nil {
		return err
	}
	was := all[scenario]
	if !was.Seeded.Equal(seeded) {
		was = shownHints{Seeded: seeded}
	}
	before := len(was.Hints)
	for _, text := range texts {
		if !slices.Contains(was.Hints, text) {
			was.Hints = append(was.Hints, text)
		}
	}
	if len(was.Hints) == before {
		return nil
	}
	all[scenario] = was
	return l.writeHints(all)
}

// ForgetHints makes a scenario's hints as if none had been shown. A file that cannot be read is begun
// anew: it must not keep anybody from a reset.
func (l *Lab) ForgetHints(scenario string) error {
	all, err := l.hints()
	if _, known := all[scenario]; err == nil && !known {
		return nil
	}
	if err != nil {
		all = map[string]shownHints{}
	}
	delete(all, scenario)
	return l.writeHints(all)
}

func (l *Lab) hints() (map[string]shownHints, error) {
	data, err := os.ReadFile(l.Path(HintsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]shownHints{}, nil
	}
	all := map[string]shownHints{}
	if err == nil {
		err = json.Unmarshal(data, &all)
	}
	if err == nil && all == nil {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, clierr.New(clierr.Failed, "reading which hints were shown: %s: %w", l.Path(HintsFile), err).
			WithNext("Remove that file: the hints then begin with the first one.")
	}
	return all, nil
}

func (l *Lab) writeHints(all map[string]shownHints) error {
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("remembering which hints were shown: %w", err)
	}
	return l.WriteFile(HintsFile, append(data, '\n'))
}
