package lab

import (
	"fmt"

	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/scenarios"
)

// failures are the names of the conditions and guards of solved that were seen not to hold during a proof.
type failures map[string]bool

// note adds what a check found not to hold. A guard counts only after a wrong fix: before one there is nothing for it to
// object to, and where its object is not there yet it says no whatever it asks.
func (f failures) note(result scenarios.Result, afterWrongFix bool) {
	for _, found := range result.Findings {
		if found.Verdict != scenarios.DoesNotHold {
			continue
		}
		if found.Role == "condition" || found.Role == "guard" && afterWrongFix {
			f[found.Name] = true
		}
	}
}

// unfailed says which conditions and guards were never seen not to hold: for all that the proof knows, they always do.
func (f failures) unfailed(solved *labfile.Solved) (all []string) {
	if solved == nil {
		return nil
	}
	say := func(role string, conditions []*labfile.Condition) {
		for _, c := range conditions {
			if !f[c.Name] {
				all = append(all, fmt.Sprintf("%s %s was never seen to fail: a wrong_fix has to show that it can", role, c.Name))
			}
		}
	}
	say("condition", solved.Conditions)
	say("guard", solved.Guards)
	return all
}
