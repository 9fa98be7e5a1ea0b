package scenarios

import (
	"context"
	"time"

	"github.com/labctl/labctl/internal/clierr"
)

// Hints are what may help now.
type Hints struct {
	// Seeded is when the scenario was seeded, by the API server's clock; zero for a task. A reset makes it
	// another one, so that what is remembered of hints shown before is void.
	Seeded time.Time
	// Texts are the hints that apply, in the definition's order: those without a condition, and those
	// whose condition holds.
	Texts []string
}

// Hints looks which hints apply now.
func (r *Resource) Hints(ctx context.Context) (Hints, error) {
	sc, client, err := r.open(ctx)
	if err != nil {
		return Hints{}, err
	}
	a := sc.assessNow(ctx, client)
	if a.trouble != nil {
		err := r.explain(ctx, a.trouble)
		if clierr.ClassOf(err) == clierr.Failed {
			err = clierr.New(clierr.Unknown, "%w", err) // the API server refuses, or says what means nothing
		}
		return Hints{}, err
	}
	var hints Hints
	if a.record != nil {
		hints.Seeded = a.record.Begun
	}
	for _, h := range r.s.Hints {
		if h.When == nil || a.evaluator.find("hint", h.When).Verdict == Holds {
			hints.Texts = append(hints.Texts, h.Text)
		}
	}
	return hints, nil
}
