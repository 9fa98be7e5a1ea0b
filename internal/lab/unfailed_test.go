package lab

import (
	"slices"
	"testing"

	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/scenarios"
)

func TestWhatWasNeverSeenToFail(t *testing.T) {
	solved := &labfile.Solved{
		Conditions: []*labfile.Condition{{Name: "ready"}, {Name: "always"}},
		Guards:     []*labfile.Condition{{Name: "same"}, {Name: "idle"}},
	}
	check := func(verdicts map[string]scenarios.Verdict) (r scenarios.Result) {
		for role, names := range map[string][]string{"condition": {"ready", "always"}, "guard": {"same", "idle"}, "symptom": {"always"}} {
			for _, name := range names {
				verdict := verdicts[name]
				if role == "symptom" {
					verdict = provision.DoesNotHold // of another role, though of the same name
				}
				r.Findings = append(r.Findings, scenarios.Finding{Role: role, Name: name, Verdict: verdict})
			}
		}
		return r
	}
	no, yes, unsure := provision.DoesNotHold, provision.Holds, provision.Inconclusive
	seen := failures{}
	seen.note(check(map[string]scenarios.Verdict{"ready": no, "always": unsure, "same": no, "idle": no}), false)
	want := func(when string, want ...string) {
		t.Helper()
		if got := seen.unfailed(solved); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	const why = " was never seen to fail: a wrong_fix has to show that it can"
	want("before any wrong fix", "condition always"+why, "guard same"+why, "guard idle"+why)
	seen.note(check(map[string]scenarios.Verdict{"ready": yes, "always": yes, "same": no, "idle": unsure}), true)
	want("after a wrong fix", "condition always"+why, "guard idle"+why)
	seen.note(check(map[string]scenarios.Verdict{"always": no, "idle": no}), true)
	want("after all of them")
	if got := (failures{}).unfailed(nil); got != nil {
		t.Errorf("a demo has nothing to solve: %q", got)
	}
}
