package lab

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/scenarios"
)

// Scenario returns a scenario of the lab, or an error that lists those that it has.
func (l *Lab) Scenario(name string) (*labfile.Scenario, error) { return scenarioIn(l.Declared, name) }

func scenarioIn(declared *labfile.Lab, name string) (*labfile.Scenario, error) {
	known := ""
	for _, sc := range declared.Scenarios {
		if sc.Name == name {
			return sc, nil
		}
		known += " " + sc.Name
	}
	return nil, clierr.New(clierr.Usage, "lab %s has no scenario %q; it has:%s", declared.Name, name, known).
		WithNext("`labctl scenario` lists the catalogue; `labctl scenario %s` seeds one of it.", name)
}

// Check answers whether a scenario of the lab is solved (a demo: whether it shows).
func (l *Lab) Check(ctx context.Context, sc *labfile.Scenario, o scenarios.CheckOptions) scenarios.Result {
	result := l.resource(sc).Check(ctx, l.m.Events, o)
	result.Level = l.LevelOf(sc.Definition)
	return result
}

// Answer records what a learner has found out; see scenarios.Resource.Answer. The lab must be locked.
func (l *Lab) Answer(ctx context.Context, sc *labfile.Scenario, to string, words []string) error {
	return l.resource(sc).Answer(ctx, to, words)
}

// Results answers of each scenario of the lab whether it is as declared or solved.
func (l *Lab) Results(ctx context.Context) []scenarios.Result {
	// Side by side: each asks the API server, which may be slow to say that it does not answer.
	results := make([]scenarios.Result, len(l.Declared.Scenarios))
	shared := &kube.Shared{}
	var all sync.WaitGroup
	for i, sc := range l.Declared.Scenarios {
		r := l.resource(sc)
		r.Shared = shared
		all.Go(func() { results[i] = r.Verify(ctx) })
	}
	all.Wait()
	return results
}

// Hinting is the hints of a scenario that fit how it stands now, and which of them were shown.
type Hinting struct {
	scenarios.Hints
	Shown map[string]bool
}

// Hints returns the hints of a scenario that fit how it stands now.
func (l *Lab) Hints(ctx context.Context, sc *labfile.Scenario) (*Hinting, error) {
	fit, err := l.resource(sc).Hints(ctx)
	if err != nil {
		return nil, err
	}
	shown, err := l.files.ShownHints(sc.Name, fit.Seeded)
	return &Hinting{fit, shown}, err
}

// RememberHints keeps that hints were shown.
func (l *Lab) RememberHints(sc *labfile.Scenario, h *Hinting, texts ...string) error {
	return l.files.RememberHints(sc.Name, h.Seeded, texts...)
}

// Seed seeds one scenario that is pristine and proves its symptom; one that the learner has repaired or works on is
// left alone. One that the lab does not declare is taken from the catalogue and belongs to the lab from then on.
func (l *Lab) Seed(ctx context.Context, name string) (scenarios.Result, *Existing, error) {
	nothing := scenarios.Result{}
	added := false
	if _, err := l.Scenario(name); err != nil {
		added = true
		l.state.Extra = append(l.state.Extra, name)
		if err := addExtra(l.Declared, l.state.Extra); err != nil {
			return nothing, nil, err
		}
		if err := rememberOutline(l.state, l.Declared); err != nil {
			return nothing, nil, err
		}
		with, err := l.m.assemble(ctx, l.Declared, imagesOf(l.Declared.Scenarios), l.files, l.state) // the mirror needs its images
		if err != nil {
			return nothing, nil, err
		}
		*l = *with
	}
	sc, err := l.Scenario(name)
	if err != nil {
		return nothing, nil, err
	}
	release, err := l.Lock(ctx)
	if err != nil {
		return nothing, nil, err
	}
	defer release()
	if err := l.cluster.UnansweredBy(ctx); err != nil && !sc.TakesAPI() {
		return nothing, nil, err // nor is the lab to remember what it cannot have now
	}
	if added {
		// Before the first act: should this be its last moment, the lab knows what was begun in it.
		if err := l.save(); err != nil {
			return nothing, nil, err
		}
	}
	if _, exists, err := l.apply(ctx, []*labfile.Scenario{sc}); err != nil {
		if added && clierr.ClassOf(err) == clierr.Refused {
			l.state.Extra = l.state.Extra[:len(l.state.Extra)-1]
			err = errors.Join(err, l.save())
		}
		return nothing, exists, err
	}
	return l.resource(sc).Verify(ctx), nil, nil
}

// Reset breaks a scenario again, as if it had just been seeded: it destroys it and applies it, with all that it needs.
func (l *Lab) Reset(ctx context.Context, sc *labfile.Scenario) (scenarios.Result, *Existing, error) {
	nothing := scenarios.Result{}
	release, err := l.Lock(ctx)
	if err != nil {
		return nothing, nil, err
	}
	defer release()
	// Nothing is begun that could not be ended.
	if err := l.cluster.Answers(ctx); err != nil && !sc.TakesAPI() {
		return nothing, nil, err
	}
	if err := l.files.ForgetHints(sc.Name); err != nil {
		return nothing, nil, err
	}
	graph, err := l.graph(sc)
	if err != nil {
		return nothing, nil, err
	}
	if err := graph.Reset(ctx, l.resource(sc).Addr(), l.m.Events); err != nil {
		var exists *Existing
		if l.remote != nil || ctx.Err() != nil {
			exists = l.exists(ctx)
		}
		return nothing, exists, offerLocal(err, l.Declared)
	}
	if err := l.save(); err != nil {
		return nothing, nil, err
	}
	return l.resource(sc).Verify(ctx), nil, nil
}

// addRemembered appends the scenarios that were added to a lab. One that this labctl does not know, because
// another one added it, is left out and said: it must not keep the lab from being used.
func (m *Machine) addRemembered(declared *labfile.Lab, st *state.State) {
	for _, name := range st.Extra {
		err := addExtra(declared, []string{name})
		switch {
		case clierr.ClassOf(err) == clierr.Usage:
			m.Events.Emit(event.Notice{Text: "scenario " + name + " was added to this lab by a labctl that knows it; it is left out"})
		case err != nil:
			m.Events.Emit(event.Notice{Text: err.Error() + "; it is left out"})
		}
	}
}

// addExtra appends catalogue scenarios that a learner added to a lab.
func addExtra(declared *labfile.Lab, names []string) error {
	for _, name := range names {
		if slices.ContainsFunc(declared.Scenarios, func(s *labfile.Scenario) bool { return s.Name == name }) {
			continue
		}
		def, err := scenarios.Lookup(name)
		if err != nil {
			return err
		}
		declared.Scenarios = append(declared.Scenarios, WithDefaults(def))
	}
	return nil
}

// WithDefaults is a scenario whose inputs no lab file sets.
func WithDefaults(def *labfile.Definition) *labfile.Scenario {
	sc := &labfile.Scenario{Definition: def, Input: map[string]cty.Value{}}
	for _, in := range def.Inputs {
		sc.Input[in.Name] = in.Default
	}
	return sc
}
