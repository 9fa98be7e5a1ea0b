package labfile

import (
	"slices"

	"github.com/agext/levenshtein"
)

// maxSuggestions bounds how many names are compared with a wrong one: no lab has more, and a file
// that is made to be slow may have thousands of both.
const maxSuggestions = 200

// didYouMean returns ` Did you mean "x"?` for the name that is nearest to given, or "" when none
// is near. It is meant to be put behind a sentence.
func didYouMean(given string, names []string) string {
	return orMean(nearest(given, names))
}

// orMean puts a suggestion, if there is one, into words.
func orMean(name string) string {
	if name == "" {
		return ""
	}
	return ` Did you mean "` + name + `"?`
}

// nearest returns the name that is nearest to given, or "" when none is near.
func nearest(given string, names []string) string {
	if len(names) > maxSuggestions {
		return ""
	}
	best, distance := "", len(given)/3+2
	for _, name := range slices.Sorted(slices.Values(names)) {
		if len(given) > 100 || len(name) > 100 {
			continue
		}
		d := levenshtein.Distance(given, name, nil)
		if d == 2 && sameLetters(given, name) {
			d = 1 // two letters swapped, the commonest slip of all
		}
		if d < distance && d < len(name) {
			best, distance = name, d
		}
	}
	return best
}

// sameLetters says whether two names consist of the same bytes in any order.
func sameLetters(a, b string) bool {
	x, y := []byte(a), []byte(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}
