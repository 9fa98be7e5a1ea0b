// Package count writes numbers with what they count, in English: "1 node", "3 nodes", "2m05s". It knows no
// irregular plurals; who has one of those writes it out.
package count

import "strconv"

// Do returns the number, the noun and the form of the verb that goes with them: "1 node runs", "3 nodes run".
func Do(n int, noun, one, many string) string {
	if n == 1 {
		return Of(n, noun) + " " + one
	}
	return Of(n, noun) + " " + many
}

// Of returns the number and the noun, whose plural ends in s.
func Of(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}
