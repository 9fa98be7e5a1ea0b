// Package count writes numbers with what they count, in English: "1 node", "3 nodes". It knows no irregular
// plurals; who has one of those writes it out.
package count

import "strconv"

// Of returns the number and the noun, whose plural ends in s.
func Of(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}
