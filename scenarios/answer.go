package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision"
)

func (sc *compiled) unseeded() provision.Answer {
	return provision.Answer{Verdict: DoesNotHold, Reason: "it is not seeded", Next: fmt.Sprintf("Run `labctl scenario %s` to seed it.", sc.s.Name)}
}

// afresh is a no that only a reset can turn into a yes.
func (sc *compiled) afresh(purpose, format string, args ...any) provision.Answer {
	return provision.Answer{
		Verdict: DoesNotHold, Reason: fmt.Sprintf(format, args...),
		Next: fmt.Sprintf("Run `labctl reset %s` to %s.", sc.s.Name, purpose),
	}
}

// untold is the answer when something keeps it from being told.
func (sc *compiled) untold(why error, command string) provision.Answer {
	next := clierr.NextOf(why)
	if next == "" {
		next = fmt.Sprintf("Mend that, then run `%s` again.", command)
	}
	return provision.Answer{Verdict: Inconclusive, Reason: why.Error(), Next: next}
}

// unproven answers for what is seeded, wholly or in part, and was not proven to show.
func (sc *compiled) unproven(a *assessment) provision.Answer {
	answer := provision.Answer{Verdict: DoesNotHold, Next: fmt.Sprintf("Run `labctl scenario %s` to seed it fully.", sc.s.Name)}
	f := unmet(a.Symptom)
	switch {
	case a.record.Removing:
		answer.Reason = "its reset was cut short"
	case !a.kept:
		answer = sc.afresh("seed it anew", "its record (configmap %s in %s) is lost, and its symptom does not show; missing: %s",
			recordName(sc.lab), recordNamespace, words(f))
	case f == nil:
		answer.Reason = "its symptom shows, but not all of it was seeded yet"
	case f.Verdict == Inconclusive:
		answer.Verdict, answer.Reason = Inconclusive, "its symptom was not proven yet: "+f.Reason
	default:
		answer.Reason = "its symptom was not proven yet; missing: " + f.Words()
	}
	return answer
}

func firstUnknown(a *assessment) *Finding {
	for _, f := range slices.Concat(a.Symptom, a.Solved) {
		if f.Verdict == Inconclusive {
			return &f
		}
	}
	return nil
}

// changedReason says in which way a scenario was worked on.
func (sc *compiled) changedReason(a *assessment) string {
	switch {
	case a.unprobed:
		return fmt.Sprintf("worked on; `labctl check %s` probes what it came to", sc.s.Name)
	case sc.s.Type == labfile.Demo:
		return "disturbed; missing: " + words(unmet(a.Symptom))
	case all(a.Solved...) == Holds:
		return fmt.Sprintf("solved, but that has to hold for %s more", count.Elapsed(a.Remaining))
	}
	return "worked on, neither broken as declared nor solved; missing: " + words(unmet(a.Solved))
}

func words(f *Finding) string {
	if f == nil {
		return "any condition"
	}
	return f.Words()
}

func lostReason(a *assessment) string {
	return fmt.Sprintf("the original %s is gone, and the exercise is about it", strings.Join(a.Lost, " and the original "))
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
