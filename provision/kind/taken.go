package kind

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/labctl/labctl/internal/clierr"
)

// Taken is something that a scenario has taken away from the cluster on purpose. That is no fault of the cluster's, and
// nobody mends it but the learner, and a reset.
type Taken struct {
	Scenario string
	Node     string // its whole name
	What     string // "kubelet", "kube-apiserver"
	API      bool   // the API server may not answer for that
}

func (t Taken) String() string {
	return fmt.Sprintf("scenario %s has taken the %s of %s away", t.Scenario, t.What, t.Node)
}

// takenAway asks what scenarios have taken away; nothing where that cannot be told.
func (c *Cluster) takenAway(ctx context.Context) []Taken {
	if c.Taken == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return c.Taken(ctx)
}

// takenAPI returns what keeps the API server from answering, or nil.
func takenAPI(taken []Taken) *Taken {
	if i := slices.IndexFunc(taken, func(t Taken) bool { return t.API }); i >= 0 {
		return &taken[i]
	}
	return nil
}

// takenNodes are the nodes that are not heard of for that reason.
func takenNodes(taken []Taken) (names []string) {
	for _, t := range taken {
		if !t.API && !slices.Contains(names, t.Node) {
			names = append(names, t.Node)
		}
	}
	return names
}

func sayTaken(taken []Taken) string {
	var all []string
	for _, t := range taken {
		all = append(all, t.String())
	}
	return strings.Join(all, "; ")
}

// because reports whether what is not ready is so because of what was taken away.
func (h health) because(taken []Taken) bool {
	gone := takenNodes(taken)
	return len(gone) > 0 && !h.Short && !slices.ContainsFunc(h.Waiting, func(node string) bool { return !slices.Contains(gone, node) })
}

// UnansweredBy says which scenario keeps the API server from answering; nil for none.
func (c *Cluster) UnansweredBy(ctx context.Context) error {
	t := takenAPI(c.takenAway(ctx))
	if t == nil {
		return nil
	}
	return clierr.New(clierr.Inconclusive, "the API server of lab %s does not answer: %s", c.Ownership.Lab, t).
		WithNext("That is what the scenario is about: `labctl task %s`. `labctl reset %s` brings the API server back.", t.Scenario, t.Scenario)
}
