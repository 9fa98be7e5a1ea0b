package scenarios

import (
	"context"
	"errors"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/provision"
)

// Observe looks once and writes nothing. What the learner has done is drift without an action: no
// Apply undoes it.
func (r *Resource) Observe(ctx context.Context) (provision.Observation, error) {
	sc, client, err := r.open(ctx)
	if errors.Is(err, kube.ErrNoCluster) {
		return provision.Observation{State: provision.Absent, Reason: "there is no cluster", Action: "seed it and prove its symptom"}, nil
	}
	if err != nil {
		return provision.Observation{}, err
	}
	a := sc.assessNow(ctx, client)
	v := sc.verified(a)
	o := provision.Observation{Reason: v.Reason, Evidence: evidence(v.Findings)}
	switch a.State {
	case Pristine:
		o.State, o.Action = provision.Absent, "seed it and prove its symptom"
		if a.Foreign != nil {
			return o, kube.Foreign(a.Foreign, sc.marks())
		}
	case Seeding:
		o.State, o.Action = provision.Partial, "prove its symptom"
	case Broken, Shown:
		o.State = provision.Current
		if a.record.Proven == nil {
			o.Action = "record that its symptom was seen"
		}
	case Solved, Open:
		o.State = provision.Current
		if sc.unbegun(a) {
			o.Action = "note what is there before the learner begins"
		}
	case Unknown:
		return o, v.Err()
	default:
		o.State = provision.Drifted
	}
	r.sum("%s", v.Reason)
	return o, nil
}

// Preflight refuses to seed over objects of the same names that labctl did not make. A cluster
// that is not there yet, or does not answer, is no reason to refuse.
func (r *Resource) Preflight(ctx context.Context) error {
	sc, client, err := r.open(ctx)
	if err != nil {
		return nil //nolint:nilerr // Apply will say it
	}
	if a := sc.assessNow(ctx, client); a.State == Pristine && a.Foreign != nil {
		return kube.Foreign(a.Foreign, sc.marks())
	}
	return nil
}

// evidence lists what a person wants to see of findings: the values, once each.
func evidence(findings []Finding) []string {
	var lines []string
	seen := map[string]bool{}
	for _, f := range findings {
		for _, o := range f.Objects {
			for _, v := range o.Values {
				line := o.Ref + ": " + v.String()
				if !seen[line] {
					seen[line] = true
					lines = append(lines, line)
				}
			}
		}
	}
	return lines
}
