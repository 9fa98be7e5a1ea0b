package scenarios

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

// Hollow returns what is wrong with the conditions of the scenario that can be told without a cluster: one that holds
// on an object which is empty but for its name proves nothing about a real one.
func (r *Resource) Hollow() ([]string, error) {
	sc, err := compile(r.lab, r.s)
	if err != nil {
		return nil, err
	}
	return sc.hollow(), nil
}

func (sc *compiled) hollow() []string {
	var all []string
	for _, c := range append(slices.Clone(sc.s.Symptom), sc.solving()...) {
		empty := map[string]any{"kind": sourceOf(c).query().Kind, "metadata": map[string]any{"name": "x", "uid": "u"}}
		if f := sc.findIn(c, empty); f.Verdict != DoesNotHold || f.Reason == "" {
			all = append(all, fmt.Sprintf("condition %s %s on an object that is empty but for its name, so it proves nothing: let it ask for a field that a real one has", c.Name, f.Verdict))
		}
	}
	return all
}

// findIn answers a condition as if the object were the only one that it speaks of.
func (sc *compiled) findIn(c *labfile.Condition, object map[string]any) Finding {
	a := &assessment{learned: latches{}}
	snapshot := kube.Snapshot{
		sourceOf(c).query(): {Synced: true, Objects: []*unstructured.Unstructured{{Object: object}}},
		nodesQuery:          {Synced: true},
	}
	return sc.evaluator(snapshot, a, true).find("condition", c)
}
