package scenarios

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision"
)

// Result is the answer to `check` or `verify` for one scenario; its JSON form is public.
type Result struct {
	Scenario string       `json:"scenario"`
	Type     labfile.Type `json:"type"`
	Title    string       `json:"title,omitempty"`
	Summary  string       `json:"summary,omitempty"`
	// Level says how much is known of whether the scenario judges as it should; of check alone.
	Level labfile.Level `json:"level,omitempty"`
	// Question is what the answer is to: "solved" (check), "shown" (check of a demo) or "as-declared"
	// (verify).
	Question string `json:"question"`
	provision.Answer
	State State `json:"state"`
	// Findings are the conditions that were looked at, each with its expression and the values
	// seen.
	Findings []Finding `json:"findings,omitempty"`
	// Remaining is how long a solution has still to hold, in nanoseconds.
	Remaining time.Duration `json:"remaining_ns,omitempty"`
	// Debrief is told when it is over: when check says yes.
	Debrief string `json:"debrief,omitempty"`
}

// Err returns nil when the verdict is Holds, else an error of class clierr.NotHolding or
// clierr.Inconclusive that says the reason and what to type next.
func (r Result) Err() error { return r.Answer.Err(r.Scenario) }

func (sc *compiled) result(question string, a *assessment) Result {
	return Result{
		Scenario: sc.s.Name, Type: sc.s.Type, Title: sc.s.Title, Summary: sc.s.Summary, Question: question, State: a.State,
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
func (sc *compiled) checked(a *assessment) Result {
	r := sc.result("solved", a)
	verdict, findings := all(a.Solved...), a.Solved
	if sc.s.Type == labfile.Demo {
		r.Question = "shown"
		verdict, findings = all(a.Symptom...), a.Symptom
	}
	switch {
	case a.trouble != nil:
		r.Answer = sc.untold(a.trouble, "labctl check "+sc.s.Name)
	case a.State == Pristine:
		r.Answer = sc.unseeded()
	case a.State == Solved:
		r.Verdict, r.Reason, r.Debrief = Holds, "solved: "+sayings(findings), sc.s.Debrief
		if hold := sc.s.Solved.StableFor; hold > 0 {
			r.Reason += fmt.Sprintf("; it has held for %s", count.Duration(hold))
		}
	case a.State == OriginalGone:
		r.Answer = sc.afresh("begin again", "%s", lostReason(a))
	case verdict == Holds && sc.s.Type == labfile.Demo:
		r.Verdict, r.Reason, r.Debrief = Holds, sayings(findings), sc.s.Debrief
	case verdict == Holds:
		r.Verdict, r.Reason = DoesNotHold, fmt.Sprintf("it looks solved, but has to hold for %s; %s to go", count.Duration(sc.s.Solved.StableFor), count.Elapsed(a.Remaining))
		r.Next = fmt.Sprintf("Run `labctl check %s` again.", sc.s.Name)
	case verdict == Inconclusive:
		r.Answer = sc.untold(errors.New(unmet(findings).Reason), "labctl check "+sc.s.Name)
	case sc.s.Type == labfile.Demo:
		r.Answer = sc.afresh("bring it back", "it does not show any more")
	default:
		r.Verdict, r.Reason = DoesNotHold, "not solved yet"
		if all(a.Symptom...) == Holds {
			r.Reason = "still broken"
		}
		r.Next = fmt.Sprintf("Run `labctl hint %s` for a hint.", sc.s.Name)
	}
	return r
}

// verified answers: is it as declared, that is broken (shown, open) or solved?
func (sc *compiled) verified(a *assessment) Result {
	r := sc.result("as-declared", a)
	switch a.State {
	case Broken:
		r.Verdict, r.Reason = Holds, "broken as declared: "+sayings(a.Symptom)+a.age()
	case Shown:
		r.Verdict, r.Reason = Holds, sayings(a.Symptom)+a.age()
	case Solved:
		r.Verdict, r.Reason = Holds, "solved: "+sayings(a.Solved)
	case Open:
		r.Verdict, r.Reason = Holds, "not done yet"
		if a.unprobed {
			r.Reason = fmt.Sprintf("open; `labctl check %s` probes whether it is done", sc.s.Name)
		}
	case Pristine:
		r.Answer = sc.unseeded()
	case OriginalGone:
		r.Answer = sc.afresh("begin again", "%s", lostReason(a))
	case Seeding:
		r.Answer = sc.unproven(a)
	case Changed:
		r.Answer = sc.afresh("begin again", "%s", sc.changedReason(a))
	default:
		why := a.trouble
		if f := firstUnknown(a); why == nil && f != nil {
			why = errors.New(f.Reason)
		}
		r.Answer = sc.untold(cmp.Or(why, errors.New("the cluster did not say")), "labctl verify")
	}
	return r
}

// unrecorded is what Apply has to put on record of a scenario that is as declared; empty for nothing.
func (sc *compiled) unrecorded(a *assessment) string {
	switch {
	case sc.unbegun(a):
		return "note what is there before the learner begins"
	case a.record != nil && a.record.Proven == nil && (a.State == Broken || a.State == Shown):
		return "record that its symptom was seen"
	}
	return ""
}

// observation is what the rest of labctl is told of the answer to verify. Its state follows from the
// scenario's, and is provision.Current exactly if the answer is yes; unrecorded is then its action.
func (r Result) observation(unrecorded string) (provision.Observation, error) {
	o := provision.Observation{Phase: string(r.State), Reason: r.Reason, Next: r.Next, Evidence: r.Evidence(), Unsure: r.Verdict == Inconclusive}
	switch r.State {
	case Broken, Shown, Solved, Open:
		o.State, o.Action = provision.Current, unrecorded
	case Pristine:
		o.State, o.Action = provision.Absent, "seed it and prove its symptom"
	case Seeding:
		o.State, o.Action = provision.Partial, "prove its symptom"
	case Unknown:
		return o, clierr.New(clierr.Inconclusive, "%s", r.Reason).WithNext("%s", r.Next)
	default:
		o.State = provision.Drifted
	}
	return o, nil
}

// Points are the findings that matter to whoever asked, in the order in which to think of them: what
// has to hold, and of the guards those that fail once something was done about the symptom. Before
// that, a guard's words would only give away what not to do.
func (r Result) Points() []Finding {
	var points []Finding
	shows := all(slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool { return f.Role != "symptom" })...) == Holds
	var empty []Finding // guards of what is not there: said only where nothing else says it
	failing := false
	for _, f := range r.Findings {
		switch {
		case r.Question == "solved" && f.Role == "condition", r.Question == "shown" && f.Role == "symptom":
			points = append(points, f)
			failing = failing || f.Verdict != Holds
		case r.Question != "solved" || f.Role != "guard" || f.Verdict == Holds || shows:
		case len(f.Objects) == 0:
			empty = append(empty, f)
		default:
			points = append(points, f)
			failing = true
		}
	}
	if failing {
		return points
	}
	return append(points, empty...)
}

// Evidence is what an answer rests on. Of a no, and of what cannot be told, it is why, on which values:
// one line for each object on which something fails. Of a yes it is the values of what holds.
func (r Result) Evidence() []string {
	var lines []string
	seen := map[string]bool{}
	add := func(line string) {
		if line != "" && !seen[line] {
			seen[line] = true
			lines = append(lines, line)
		}
	}
	for _, f := range r.Findings {
		if r.Verdict == Holds && f.Verdict == Holds {
			for _, o := range f.Objects {
				for _, v := range o.Values {
					add(o.Ref + ": " + v.String())
				}
			}
		}
		if r.Verdict != Holds && f.Verdict != Holds {
			for _, line := range f.Evidence() {
				add(line)
			}
		}
	}
	return lines
}

// Evidence says why a condition does not hold, object by object.
func (f Finding) Evidence() []string {
	var lines []string
	for _, o := range f.Objects {
		if o.Verdict != Holds {
			lines = append(lines, o.Reason)
		}
	}
	if len(lines) == 0 && f.Reason != "" {
		lines = append(lines, f.Reason)
	}
	return lines
}
