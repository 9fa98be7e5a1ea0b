package lab

import (
	"context"
	"slices"

	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision/kind"
	"github.com/labctl/labctl/scenarios"
)

// takenAway tells the cluster what the lab's scenarios have taken away from it, so that it does not count that as a fault.
func (l *Lab) takenAway(ctx context.Context) (all []kind.Taken) {
	for _, t := range scenarios.TakenAway(ctx, l.cluster, l.Declared.Scenarios) {
		node, _ := l.cluster.NodeName(t.Action.Node)
		all = append(all, kind.Taken{Scenario: t.Scenario, Node: node, What: t.Action.Stop + t.Action.Component, API: t.Action.TakesAPI()})
	}
	return all
}

// inTurn sorts scenarios into those that are seeded side by side, and those that take something away from everything else:
// they come after the others, one after the other, and what takes the API server away comes last.
func inTurn(all []*labfile.Scenario) (together, after []*labfile.Scenario) {
	for _, s := range all {
		if len(s.Disrupts) > 0 {
			after = append(after, s)
		} else {
			together = append(together, s)
		}
	}
	slices.SortStableFunc(after, func(a, b *labfile.Scenario) int { return last(a) - last(b) })
	return together, after
}

func last(s *labfile.Scenario) int {
	if slices.Contains(s.Disrupts, "api") {
		return 1
	}
	return 0
}
