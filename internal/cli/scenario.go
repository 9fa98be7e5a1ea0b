package cli

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/provision/mirror"
	"github.com/labctl/labctl/scenarios"
)

// scenario returns the resource of one of the lab's scenarios.
func (s *session) scenario(sc *labfile.Scenario) *scenarios.Resource {
	needs := []provision.Need{{Resource: s.cluster, Milestone: provision.MilestoneAPI}}
	for _, image := range imagesOf([]*labfile.Scenario{sc}) {
		// Its own images alone: one that cannot be had stops only the scenario that needs it.
		needs = append(needs, provision.Need{Resource: s.mirror, Milestone: mirror.Milestone(image), Lasting: true})
	}
	return scenarios.NewResource(s.lab.Name, sc, s.cluster, needs)
}

// named finds a scenario of the lab.
func (s *session) named(name string) (*labfile.Scenario, error) {
	known := ""
	for _, sc := range s.lab.Scenarios {
		if sc.Name == name {
			return sc, nil
		}
		known += " " + sc.Name
	}
	return nil, clierr.New(clierr.Usage, "lab %s has no scenario %q; it has:%s", s.lab.Name, name, known).
		WithNext("`labctl scenario` lists the catalogue; `labctl scenario %s` seeds one of it.", name)
}

// exercise opens the lab that a command works on, and finds a scenario of it.
func (a *app) exercise(ctx context.Context, name string) (*session, *labfile.Scenario, error) {
	s, err := a.current(ctx)
	if err != nil {
		return nil, nil, err
	}
	sc, err := s.named(name)
	return s, sc, err
}

func (a *app) scenarioCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "scenario [NAME]",
		Short: "List the scenarios, or seed one and prove its symptom",
		Long: `Scenario without a name lists the catalogue with each one's state in the lab. With a name it seeds
that scenario if it is pristine, returns when it has seen the symptom, and says what it is about. What
you have repaired or are working on is left alone: "labctl reset" breaks it again.`,
		Example:           "  labctl scenario\n  labctl scenario crashloop",
		Args:              between(0, 1, "at most one scenario"),
		ValidArgsFunction: a.completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.listScenarios(cmd.Context())
			}
			return a.seedScenario(cmd.Context(), args[0])
		},
	}
}

// seedScenario seeds one scenario. One that the lab does not declare is taken from the catalogue and
// belongs to the lab from then on.
func (a *app) seedScenario(ctx context.Context, name string) error {
	s, err := a.current(ctx)
	if err != nil {
		return err
	}
	added := false
	if _, err := s.named(name); err != nil {
		added = true
		s.state.Extra = append(s.state.Extra, name)
		if err := addExtra(s.lab, s.state.Extra); err != nil {
			return err
		}
		if err := rememberOutline(s.state, s.lab); err != nil {
			return err
		}
		if s, err = a.open(ctx, s.lab, s.files, s.state); err != nil { // the mirror needs its images
			return err
		}
	}
	sc, err := s.named(name)
	if err != nil {
		return err
	}
	release, err := s.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	if added {
		// Before the first act: should this be its last moment, the lab knows what was begun in it.
		if err := s.files.Save(s.state); err != nil {
			return err
		}
	}
	if _, err := s.apply(ctx, []*labfile.Scenario{sc}); err != nil {
		if added && clierr.ClassOf(err) == clierr.Refused {
			s.state.Extra = s.state.Extra[:len(s.state.Extra)-1]
			err = errors.Join(err, s.files.Save(s.state))
		}
		return err
	}
	return a.printSeeded(s.scenario(sc).Verify(ctx))
}

// catalogueRow is a scenario as the list shows it.
type catalogueRow struct {
	Name   string       `json:"name"`
	Kind   labfile.Kind `json:"kind"`
	Title  string       `json:"title"`
	InLab  bool         `json:"in_lab"`
	State  string       `json:"state,omitempty"`
	Reason string       `json:"reason,omitempty"`
}

func (a *app) listScenarios(ctx context.Context) error {
	rows := map[string]catalogueRow{}
	for name, load := range scenarios.Definitions() {
		if d, err := load(); err != nil {
			rows[name] = catalogueRow{Name: name, State: "invalid", Title: err.Error()}
		} else {
			rows[name] = catalogueRow{Name: name, Kind: d.Kind, Title: d.Title}
		}
	}
	// Without a lab the catalogue is still worth reading.
	if s, err := a.current(ctx); err == nil {
		// Side by side: each asks the API server, which may be slow to say that it does not answer.
		results := make([]scenarios.Result, len(s.lab.Scenarios))
		var looks sync.WaitGroup
		for i, sc := range s.lab.Scenarios {
			looks.Go(func() { results[i] = s.scenario(sc).Verify(ctx) })
		}
		looks.Wait()
		for _, r := range results {
			rows[r.Scenario] = catalogueRow{r.Scenario, r.Kind, r.Title, true, string(r.State), r.Reason}
		}
	} else if a.lab != "" {
		return err
	}
	list := make([]catalogueRow, 0, len(rows))
	for _, r := range rows {
		list = append(list, r)
	}
	slices.SortFunc(list, func(x, y catalogueRow) int { return cmp.Compare(x.Name, y.Name) })
	return a.print(map[string]any{"scenarios": list}, func() {
		var table [][]string
		for _, r := range list {
			table = append(table, []string{r.Name, string(r.Kind), cmp.Or(r.State, "-"), r.Title})
		}
		a.printer().Table([]string{"SCENARIO", "KIND", "STATE", "TITLE"}, table)
	})
}
