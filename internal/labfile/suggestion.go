package labfile

import (
	"slices"

	"github.com/agext/levenshtein"
)

// didYouMean returns ` Did you mean "x"?` for the name that is nearest to given, or "" when none
// is near. It is meant to be put behind a sentence.
func didYouMean(given string, names []string) string {
	best, distance := "", len(given)/3+2
	for _, name := range slices.Sorted(slices.Values(names)) {
		if len(given) > 100 || len(name) > 100 {
			continue
		}
		if d := levenshtein.Distance(given, name, nil); d < distance && d < len(name) {
			best, distance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return ` Did you mean "` + best + `"?`
}
