package scenarios

import (
	"context"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/labctl/labctl/internal/labfile"
)

// Taken is something that a scenario has taken away from the cluster, and that is still away.
type Taken struct {
	Scenario string
	Action   *labfile.NodeAction
}

// TakenAway asks the nodes what the scenarios given have taken away from the cluster: kubelets, and what the API server needs.
// A node that does not answer says nothing. It needs no API server.
func TakenAway(ctx context.Context, nodes NodeRunner, all []*labfile.Scenario) []Taken {
	// Whether it is as the scenario has left it: what a learner has repaired is not away any more.
	const look = `if [ -e "$1/noted" ]; then
  if [ "$2" = kubelet ]; then systemctl is-active -q kubelet || echo taken
  elif ! cmp -s "$1/saved" "$3"; then echo taken; fi
fi`
	var mu sync.Mutex
	var wg sync.WaitGroup
	var taken []Taken
	for _, s := range all {
		for _, a := range s.NodeActions() {
			if !a.TakesAPI() && a.Stop != labfile.Kubelet {
				continue
			}
			wg.Go(func() {
				out, err := nodes.OnNode(ctx, a.Node, "sh", "-c", look, "sh", path.Join(nodeFolder, s.Name, a.Target()), a.Target(), a.Path())
				if err == nil && strings.TrimSpace(out) == "taken" {
					mu.Lock()
					defer mu.Unlock()
					taken = append(taken, Taken{s.Name, a})
				}
			})
		}
	}
	wg.Wait()
	slices.SortFunc(taken, func(a, b Taken) int { return strings.Compare(a.Scenario+a.Action.Node, b.Scenario+b.Action.Node) })
	return taken
}
