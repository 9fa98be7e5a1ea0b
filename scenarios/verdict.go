package scenarios

import (
	"strings"

	"github.com/labctl/labctl/provision"
)

// Verdict is the answer to a question about the cluster.
type Verdict = provision.Verdict

// The verdicts.
const (
	Holds       = provision.Holds
	DoesNotHold = provision.DoesNotHold
	CannotTell  = provision.CannotTell
)

// Finding is what was found about one condition.
type Finding struct {
	// Role is "symptom", "condition" or "guard".
	Role string `json:"role"`
	Name string `json:"name"`
	// Says is what it means when the condition holds.
	Says    string  `json:"says"`
	Verdict Verdict `json:"verdict"`
	// Reason says why, on which values; empty when it holds. It gives away what is looked at: Words
	// do not.
	Reason string `json:"reason,omitempty"`
	// Expression is the condition as it stands in the definition.
	Expression string   `json:"expression"`
	Objects    []Object `json:"objects,omitempty"`
}

// Words says what holds or is missing, without a value.
func (f Finding) Words() string {
	says := strings.TrimSuffix(f.Says, ".")
	switch {
	case f.Verdict == CannotTell:
		return says + ": cannot tell: " + f.Reason
	case f.Verdict == DoesNotHold && len(f.Objects) == 0:
		return says + " (" + f.Reason + ")"
	}
	return says
}

// Object is what was found about one object that a condition speaks of.
type Object struct {
	Ref     string  `json:"ref"` // "pod/imagepull"
	UID     string  `json:"uid"`
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason,omitempty"`
	// Latched: it does not show now, but was seen on this very object with this very spec.
	Latched bool    `json:"latched,omitempty"`
	Values  []Value `json:"values,omitempty"`
}

// Value is a part of an expression and what it was.
type Value struct {
	Of string `json:"of"` // "self.status.phase"
	// Is is the value in JSON, cut short when it is long, or why there is none.
	Is      string `json:"is"`
	Missing bool   `json:"missing,omitempty"`
}

// String returns "self.status.phase = "Running"".
func (v Value) String() string {
	if v.Missing {
		return v.Of + ": " + v.Is
	}
	return v.Of + " = " + v.Is
}

// all is the verdict on several findings together: one that does not hold decides; else one that
// cannot be told does. No findings at all hold nothing.
func all(findings ...Finding) Verdict {
	if len(findings) == 0 {
		return DoesNotHold
	}
	verdicts := make([]Verdict, len(findings))
	for i, f := range findings {
		verdicts[i] = f.Verdict
	}
	return provision.Together(verdicts...)
}

// unmet returns the finding that decides a verdict which is not Holds: the first that does not
// hold, else the first that cannot be told, else nil.
func unmet(findings []Finding) *Finding {
	for _, want := range []Verdict{DoesNotHold, CannotTell} {
		for _, f := range findings {
			if f.Verdict == want {
				return &f
			}
		}
	}
	return nil
}
