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
	v := r.explained(ctx, a, sc.verified(a))
	o, err := v.observation()
	if a.State == Pristine && a.Foreign != nil {
		return o, kube.Foreign(a.Foreign, sc.marks())
	}
	if err == nil {
		r.sum("%s", v.Reason)
	}
	return o, err
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
