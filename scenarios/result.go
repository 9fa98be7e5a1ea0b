package scenarios

import (
	"fmt"
	"strings"
	"time"

	"github.com/labctl/labctl/internal/fault"
	"github.com/labctl/labctl/internal/labfile"
)

// Result is the answer to `check` or `verify` for one scenario; its JSON form is public.
type Result struct {
	Scenario string       `json:"scenario"`
	Kind     labfile.Kind `json:"kind"`
	Title    string       `json:"title,omitempty"`
	// Question is what the verdict answers: "solved" (check), "shown" (check of a demo) or
	// "as-declared" (verify).
	Question string  `json:"question"`
	Verdict  Verdict `json:"verdict"`
	State    State   `json:"state"`
	// Reason is one sentence for a person.
	Reason string `json:"reason"`
	// Next is what to type next; empty when there is nothing to say.
	Next string `json:"next,omitempty"`
	// Findings are the conditions that were looked at, each with its expression and the values
	// seen.
	Findings []Finding `json:"findings,omitempty"`
	// Remaining is how long a solution has still to hold, in nanoseconds.
	Remaining time.Duration `json:"remaining_ns,omitempty"`
}

// Err returns nil when the verdict is Holds, else an error of class fault.NotHolding or
// fault.Unknown that says the reason and what to type next.
func (r Result) Err() error {
	switch r.Verdict {
	case Holds:
		return nil
	case DoesNotHold:
		return fault.New(fault.NotHolding, "%s: %s", r.Scenario, r.Reason).WithNext("%s", r.Next)
	}
	return fault.New(fault.Unknown, "%s: cannot tell: %s", r.Scenario, r.Reason).WithNext("%s", r.Next)
}

func (sc *script) result(question string, a *assessment) Result {
	return Result{
		Scenario: sc.s.Name, Kind: sc.s.Kind, Title: sc.s.Title, Question: question, State: a.State,
		Findings: append(append([]Finding{}, a.Symptom...), a.Solved...), Remaining: a.pending(),
	}
}

// pending is how long a solution that is otherwise complete has still to hold.
func (a *assessment) pending() time.Duration {
	if all(a.Solved...) == Holds {
		return a.Remaining
	}
	return 0
}

// checked answers: is it solved (break, task), or does it show (demo)?
func (sc *script) checked(a *assessment) Result {
	r := sc.result("solved", a)
	name := sc.s.Name
	verdict, findings := all(a.Solved...), a.Solved
	if sc.s.Kind == labfile.Demo {
		r.Question = "shown"
		verdict, findings = all(a.Symptom...), a.Symptom
	}
	switch {
	case a.trouble != nil:
		r.Verdict, r.Reason = CannotTell, a.trouble.Error()
	case a.State == Pristine:
		r.Verdict, r.Reason = DoesNotHold, "it is not seeded"
		r.Next = fmt.Sprintf("Run `labctl scenario %s` to seed it.", name)
	case a.State == Solved:
		r.Verdict, r.Reason = Holds, "solved: "+sayings(findings)
		if hold := sc.s.Solved.Hold; hold > 0 {
			r.Reason += fmt.Sprintf("; it has held for %s", hold)
		}
	case a.State == Unrecoverable:
		r.Verdict, r.Reason = DoesNotHold, lostReason(a)
		r.Next = fmt.Sprintf("Run `labctl reset %s` to begin again.", name)
	case verdict == Holds && sc.s.Kind == labfile.Demo:
		r.Verdict, r.Reason = Holds, sayings(findings)
	case verdict == Holds:
		r.Verdict, r.Reason = DoesNotHold, fmt.Sprintf("it looks solved, but has to hold for %s; %s to go", sc.s.Solved.Hold, a.Remaining.Round(time.Second/10))
		r.Next = fmt.Sprintf("Run `labctl check %s` again.", name)
	default:
		f := unmet(findings)
		r.Verdict = verdict
		if f == nil {
			r.Reason = "nothing to check is declared"
			break
		}
		r.Reason = f.Reason
		if verdict == DoesNotHold {
			r.Reason = fmt.Sprintf("it does not hold that %s: %s", strings.TrimSuffix(f.Says, "."), f.Reason)
			if a.State == Broken {
				r.Reason = "still broken; " + r.Reason
			}
		}
		r.Next = sc.onward(a, verdict)
	}
	return r
}

// onward says what to type after a check that does not hold.
func (sc *script) onward(a *assessment, v Verdict) string {
	switch {
	case v == CannotTell:
		return "Mend that, then ask again."
	case sc.s.Kind == labfile.Demo:
		return fmt.Sprintf("Run `labctl reset %s` to bring it back.", sc.s.Name)
	}
	return fmt.Sprintf("Run `labctl hint %s` for a hint.", sc.s.Name)
}

// verified answers: is it as declared, that is broken (shown, open) or solved?
func (sc *script) verified(a *assessment) Result {
	r := sc.result("as-declared", a)
	name := sc.s.Name
	again := fmt.Sprintf("Run `labctl reset %s` to begin again.", name)
	switch a.State {
	case Broken:
		r.Verdict, r.Reason = Holds, "broken as declared: "+sayings(a.Symptom)
	case Shown:
		r.Verdict, r.Reason = Holds, sayings(a.Symptom)
	case Solved:
		r.Verdict, r.Reason = Holds, "solved: "+sayings(a.Solved)
	case Open:
		r.Verdict, r.Reason = Holds, "not done yet"
	case Pristine:
		r.Verdict, r.Reason = DoesNotHold, "it is not seeded"
		r.Next = fmt.Sprintf("Run `labctl scenario %s` to seed it.", name)
	case Unrecoverable:
		r.Verdict, r.Reason, r.Next = DoesNotHold, lostReason(a), again
	case Seeding:
		r.Verdict, r.Reason = DoesNotHold, "the symptom was not proven yet"
		if a.record.Removing {
			r.Reason = "its reset was cut short"
		} else if f := unmet(a.Symptom); f != nil {
			r.Reason += ": " + f.Reason
			if f.Verdict == CannotTell {
				r.Verdict = CannotTell
			}
		}
		r.Next = fmt.Sprintf("Run `labctl scenario %s` to seed it fully.", name)
	case Changed:
		r.Verdict, r.Reason, r.Next = DoesNotHold, sc.changedReason(a), again
	default:
		r.Verdict, r.Next = CannotTell, "Mend that, then ask again."
		if a.trouble != nil {
			r.Reason = a.trouble.Error()
		} else if f := unmet(append(append([]Finding{}, a.Symptom...), a.Solved...)); f != nil && f.Verdict == CannotTell {
			r.Reason = f.Reason
		} else if f := firstUnknown(a); f != nil {
			r.Reason = f.Reason
		} else {
			r.Reason = "the cluster did not say"
		}
	}
	return r
}

func firstUnknown(a *assessment) *Finding {
	for _, list := range [][]Finding{a.Symptom, a.Solved} {
		for i := range list {
			if list[i].Verdict == CannotTell {
				return &list[i]
			}
		}
	}
	return nil
}

// changedReason says in which way a scenario was worked on.
func (sc *script) changedReason(a *assessment) string {
	if sc.s.Kind == labfile.Demo {
		return "disturbed: " + reason(unmet(a.Symptom))
	}
	if all(a.Solved...) == Holds {
		return fmt.Sprintf("solved, but that has to hold for %s more", a.Remaining.Round(time.Second/10))
	}
	return "worked on, neither broken as declared nor solved: " + reason(unmet(a.Solved))
}

func reason(f *Finding) string {
	if f == nil {
		return "nothing is declared"
	}
	return f.Reason
}

func lostReason(a *assessment) string {
	return fmt.Sprintf("it can no longer be solved: %s is not the one that was seeded", strings.Join(a.Lost, " and "))
}

// sayings joins what conditions mean.
func sayings(findings []Finding) string {
	var says []string
	for _, f := range findings {
		if f.Says != "" {
			says = append(says, strings.TrimSuffix(f.Says, "."))
		}
	}
	return strings.Join(says, "; ")
}

// Evidence lists the values that the answer rests on, each once: "pod/web: self.status.phase = …".
func (r Result) Evidence() []string { return evidence(r.Findings) }
