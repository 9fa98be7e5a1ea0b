package provision

import (
	"slices"

	"github.com/labctl/labctl/internal/clierr"
)

// Verdict is the answer to a question about the world. There are three: what cannot be told is
// reported neither as a pass nor as a failure.
type Verdict string

// The verdicts.
const (
	Holds        Verdict = "holds"
	DoesNotHold  Verdict = "does-not-hold"
	Inconclusive Verdict = "inconclusive"
)

// Together is the verdict on several things: one that does not hold decides, else one that cannot be
// told does.
func Together(all ...Verdict) Verdict {
	for _, v := range []Verdict{DoesNotHold, Inconclusive} {
		if slices.Contains(all, v) {
			return v
		}
	}
	return Holds
}

// Answer is what is said of one resource. Whatever shows it (a mark and words on a terminal, JSON,
// JUnit, an exit code) shows this one value, so that they cannot disagree.
type Answer struct {
	Verdict Verdict `json:"verdict"`
	// Reason is one sentence for a person.
	Reason string `json:"reason"`
	// Next is what to type next; empty when there is nothing to say.
	Next string `json:"next,omitempty"`
}

// Err returns nil when the answer is yes, else an error of class clierr.NotHolding or clierr.Inconclusive
// that says the reason and what to type next.
func (a Answer) Err(name string) error {
	switch a.Verdict {
	case Holds:
		return nil
	case DoesNotHold:
		return clierr.New(clierr.NotHolding, "%s: %s", name, a.Reason).WithNext("%s", a.Next)
	}
	return clierr.New(clierr.Inconclusive, "%s: inconclusive: %s", name, a.Reason).WithNext("%s", a.Next)
}

// Answer answers whether the resource is as declared: only one that is Current is.
func (o Observed) Answer() Answer {
	a := Answer{Verdict: Holds, Reason: o.Reason, Next: o.Next}
	switch {
	case o.Err != nil:
		a = Answer{Verdict: Inconclusive, Reason: o.Err.Error(), Next: clierr.NextOf(o.Err)}
	case o.Unsure, hidden(o):
		a.Verdict = Inconclusive
	case o.State != Current:
		a.Verdict = DoesNotHold
	}
	return a
}
