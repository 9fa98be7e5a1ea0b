package scenarios

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

func TestSinceWhenItHolds(t *testing.T) {
	const (
		phase   = `self.status.phase == "Running"`
		ready   = `anytrue([for c in self.status.conditions : c.type == "Ready" && c.status == "True"])`
		healthy = `alltrue([for c in self.status.conditions : contains(["Degraded"], c.type) ? c.status == "False" : true])`
		spec    = `self.spec.containers[0].image == "nginx"`
		whole   = `jsonencode(self) != ""`
	)
	hour, minute := ago(time.Hour), ago(time.Minute)
	turned := func(kind, status, at string) string {
		return fmt.Sprintf(`{type: %s, status: %q, lastTransitionTime: %q}`, kind, status, at)
	}
	for what, row := range map[string]struct {
		holds      string
		conditions string
		containers string
		want       time.Duration
	}{
		"nothing has changed":                                     {phase, turned("Ready", "True", hour), "", time.Hour},
		"a condition turned False and back":                       {ready, turned("Ready", "True", minute), "", time.Minute},
		"a condition that is to be False turned True and back":    {healthy, turned("Ready", "True", hour) + "," + turned("Degraded", "False", minute), "", time.Minute},
		"a condition turned that the expression does not rest on": {ready, turned("Ready", "True", hour) + "," + turned("Degraded", "False", minute), "", time.Hour},
		"the status is looked at, no condition named":             {phase, turned("Ready", "False", minute), "", time.Minute},
		"the whole object is looked at":                           {whole, turned("Ready", "False", minute), "", time.Minute},
		"the spec alone is looked at":                             {spec, turned("Ready", "True", minute), "", time.Hour},
		"a container was started":                                 {phase, turned("Ready", "True", hour), "containerStatuses: [{state: " + running(time.Minute) + "}]", time.Minute},
		"a sidecar was started":                                   {phase, turned("Ready", "True", hour), "initContainerStatuses: [{state: " + running(time.Minute) + "}]", time.Minute},
		"a container has ended":                                   {phase, turned("Ready", "True", hour), fmt.Sprintf("containerStatuses: [{state: {terminated: {finishedAt: %q}}}]", minute), time.Minute},
	} {
		pod := object(t, fmt.Sprintf(`
kind: Pod
apiVersion: v1
metadata: {name: web, namespace: default, creationTimestamp: %q}
status: {phase: Running, conditions: [%s], %s}
`, hour, row.conditions, row.containers))
		c := conditionOn(t, row.holds)
		j := &evaluator{snapshot: kube.Snapshot{sourceOf(c).query(): {Synced: true, Objects: []*unstructured.Unstructured{pod}}}}
		if got := noon.Sub(j.heldSince([]*labfile.Condition{c})); got != row.want {
			t.Errorf("%s: held for %s, want %s", what, got, row.want)
		}
	}
}
