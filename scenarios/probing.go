package scenarios

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

// errUnprobed says of a condition that its probes were not run in this look.
var errUnprobed = errors.New("nothing was probed in this look")

// streaks are since when conditions on probes have held in every look, by the API server's clock.
type streaks map[*labfile.Condition]time.Time

// withProbes is what a condition's expressions are evaluated with: what is known of the scenario, and what came of the
// condition's probes. missing says which found no pod to look at; the error, that one cannot be told.
func (e *evaluator) withProbes(c *labfile.Condition) (base *hcl.EvalContext, missing string, err error) {
	if len(c.Probes) == 0 {
		return e.base, "", nil
	}
	for _, name := range c.Probes {
		u, probed := e.snapshot[probeQuery(name)]
		switch {
		case !probed:
			return nil, "", errUnprobed
		case u.Err != nil:
			return nil, "", u.Err
		case len(u.Objects) == 0:
			missing = labfile.ProbeNamed(name) + " finds no pod to look at"
		}
	}
	base = e.base.NewChild()
	base.Variables = map[string]cty.Value{"probe": probeValues(e.snapshot, c.Probes), "script": scriptValues(e.snapshot, c.Probes)}
	return base, missing, nil
}

// onlyProbes answers a condition that asks about no object.
func (e *evaluator) onlyProbes(c *labfile.Condition, base *hcl.EvalContext) Object {
	o := Object{Ref: "probe", Verdict: Holds, Values: references(c.Holds, c.HoldsSource, base)}
	yes, why := truth(c.Holds, base)
	if c.InconclusiveIf != nil {
		if is, _ := truth(c.InconclusiveIf, base); is {
			o.Verdict, o.Reason = Inconclusive, "the probe shows a fault outside the exercise"
			return o
		}
	}
	if !yes {
		o.Verdict, o.Reason = DoesNotHold, explain(c, base, why)
	}
	return o
}

// count keeps since when a condition on probes holds without a break. A look that did not probe is none.
func (e *evaluator) count(c *labfile.Condition, f Finding) {
	if !undated(c) || e.since == nil || f.unprobed {
		return
	}
	if _, counted := e.since[c]; f.Verdict != Holds {
		delete(e.since, c)
	} else if !counted {
		e.since[c] = e.now
	}
}

// probedSince returns since when conditions on probes hold, of those given the latest; zero when there are none. In a
// look that remembers none before it, that is now; access, which every look reads, then counts by what it is.
func (e *evaluator) probedSince(conditions []*labfile.Condition) time.Time {
	var latest time.Time
	for _, c := range conditions {
		if !undated(c) || len(c.Probes) == 0 && e.since == nil {
			continue
		}
		since, counted := e.since[c]
		if !counted {
			since = e.now
		}
		latest = later(latest, since)
	}
	return latest
}

// undated reports whether nothing in a condition's evidence tells since when it is so: that of probes, of access and of attempts, which are
// not watched either, and that there is none of what was there. Whoever waits for it has it looked at each second.
func undated(c *labfile.Condition) bool {
	switch c.Evidence.(type) {
	case labfile.Access, labfile.Attempt:
		return true
	}
	return c.None || len(c.Probes) > 0
}

// judged are the conditions that say where the scenario stands.
func (sc *compiled) judged() []*labfile.Condition { return slices.Concat(sc.s.Symptom, sc.solving()) }

// restHolds reports whether findings lack nothing but probes: only then is it worth running them.
func restHolds(findings []Finding) bool {
	return !slices.ContainsFunc(findings, func(f Finding) bool { return f.Verdict != Holds && !f.unprobed })
}

// doubtful reports whether there is a finding that cannot be told for another reason than that nothing was probed.
func doubtful(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Verdict == Inconclusive && !f.unprobed })
}

// assessProbed is assessNow, and probes where the scenario's conditions ask for it and it is seeded. since, where not
// nil, is kept from one look to the next.
func (sc *compiled) assessProbed(ctx context.Context, c *kube.Client, since streaks, shared *kube.Shared) *assessment {
	look, cancel := context.WithTimeout(ctx, sc.lookWithin())
	defer cancel()
	snapshot := observe(look, c, sc.sources(), shared)
	a := sc.assessSince(snapshot, c.ServerNow(), nil, since)
	if !a.worthProbing() {
		return a
	}
	sc.probe(ctx, c, snapshot, sc.judged())
	return sc.assessSince(snapshot, c.ServerNow(), nil, since)
}

// worthProbing reports whether something was left unprobed of a scenario that is there to be probed.
func (a *assessment) worthProbing() bool {
	return a.unprobed && a.State != Pristine && !(a.record != nil && a.record.Removing)
}

// followProbed calls each with an assessment, probes included, once a second and whenever something has changed, until
// each is done or ctx ends. Without probes it is called on changes alone.
func (sc *compiled) followProbed(ctx context.Context, c *kube.Client, since streaks, each func(*assessment, time.Time) kube.Decision) error {
	return sc.follow(ctx, c, func(snapshot kube.Snapshot) kube.Decision {
		a := sc.assessSince(snapshot, c.ServerNow(), nil, since)
		if a.worthProbing() {
			sc.probe(ctx, c, snapshot, sc.judged())
			a = sc.assessSince(snapshot, c.ServerNow(), nil, since)
		}
		d := each(a, c.ServerNow())
		if slices.ContainsFunc(sc.judged(), undated) && (d.Wake == 0 || d.Wake > time.Second) {
			d.Wake = time.Second
		}
		return d
	})
}

// probingTime is how long the slowest probe may take.
func (sc *compiled) probingTime() (longest time.Duration) {
	for _, p := range sc.s.Probes {
		longest = max(longest, p.Takes()+probeMargin)
	}
	return longest
}

// hollowProbe says of a condition on probes that it holds whatever they find.
func (sc *compiled) hollowProbe(c *labfile.Condition) []string {
	for _, exit := range []int64{0, 1} {
		snapshot := kube.Snapshot{nodesQuery: {Synced: true}}
		for _, name := range c.Probes {
			snapshot[probeQuery(name)] = kube.Update{Synced: true, Objects: []*unstructured.Unstructured{{Object: map[string]any{"exit": exit, "output": "", "passed": exit == 0}}}}
		}
		if c.Evidence != nil {
			snapshot[sourceOf(c).query()] = kube.Update{Synced: true, Objects: []*unstructured.Unstructured{{Object: emptyObject(c)}}}
		}
		if f := sc.evaluator(snapshot, &assessment{learned: sightings{}}, true).find("condition", c); f.Verdict == DoesNotHold {
			return nil
		}
	}
	return []string{fmt.Sprintf("condition %s holds whatever its probes find, so it proves nothing", c.Name)}
}

// settle goes on looking, probes included, at a scenario that looks solved, until it has held for as long as it must or
// turns out not to be.
func (sc *compiled) settle(ctx context.Context, c *kube.Client, shared *kube.Shared) *assessment {
	since := streaks{}
	a := sc.assessProbed(ctx, c, since, shared)
	if a.pending() == 0 || !slices.ContainsFunc(sc.solving(), undated) {
		return a
	}
	ctx, cancel := context.WithTimeout(ctx, 2*sc.s.Solved.StableFor+checkMargin)
	defer cancel()
	_ = sc.followProbed(ctx, c, since, func(next *assessment, _ time.Time) kube.Decision {
		a = next
		return kube.Decision{Done: a.pending() == 0, Wake: a.pending()}
	}) // the last look counts, however it ended
	return a
}

// age says how old an answer is that rests on probes of an earlier look; empty for one of now.
func (a *assessment) age() string {
	if !a.unprobed || a.record == nil || a.record.Proven == nil {
		return ""
	}
	return fmt.Sprintf(" (probed %s ago)", count.Elapsed(a.evaluator.now.Sub(*a.record.Proven)))
}
