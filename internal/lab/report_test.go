package lab

import (
	"testing"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/provision"
)

// The verdict on a lab is that of its rows together: one that does not hold counts before one that cannot be told.
func TestVerdictOfAReport(t *testing.T) {
	lost := provision.Observed{Observation: provision.Observation{State: provision.Partial, Reason: "its record is lost"}}
	unsure := provision.Observed{Observation: provision.Observation{State: provision.Partial, Reason: "a rate limit", Unsure: true}}
	good := provision.Observed{Observation: provision.Observation{State: provision.Current, Reason: "broken as declared"}}
	for _, c := range []struct {
		observed []provision.Observed
		verdict  provision.Verdict
		class    clierr.Class
	}{
		{[]provision.Observed{good}, provision.Holds, -1},
		{[]provision.Observed{good, lost}, provision.DoesNotHold, clierr.NotHolding},
		{[]provision.Observed{unsure, good}, provision.Inconclusive, clierr.Inconclusive},
		{[]provision.Observed{unsure, lost}, provision.DoesNotHold, clierr.NotHolding},
	} {
		r := &Report{Lab: "day10", Verdict: provision.Holds}
		for _, o := range c.observed {
			r.add(Row{Addr: "a", State: o.State, Answer: o.Answer()})
		}
		err := r.Err()
		if r.Verdict != c.verdict || len(r.Resources) != len(c.observed) || (err == nil) != (c.class == -1) || err != nil && clierr.ClassOf(err) != c.class {
			t.Errorf("%+v: %s, %v; want %s", r.Resources, r.Verdict, err, c.verdict)
		}
		if err != nil && !clierr.IsSilent(err) {
			t.Errorf("%v is said once more than the rows do", err)
		}
	}
}
