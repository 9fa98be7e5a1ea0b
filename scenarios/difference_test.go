package scenarios

import (
	"slices"
	"testing"
)

func TestDifferences(t *testing.T) {
	before := []string{
		`default service/web {"spec":{"ports":[80],"type":"ClusterIP"}}`, `default pod/a-* {"x":1}`, ` priorityclass/high {"value":1}`, `default configmap/same {}`,
	}
	after := []string{
		`default service/web {"spec":{"ports":[81],"selector":{"app":"web"}}}`, `default pod/a-* {"x":1}`, `default pod/b {}`, `default configmap/same {}`,
	}
	want := []string{
		"priorityclass/high is missing",
		`service/web in default: spec.ports is [81], was [80]; spec.selector is {"app":"web"}, was nothing; spec.type is nothing, was "ClusterIP"`,
		"pod/b in default is left over",
	}
	if got := Differences(before, after); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got := Differences(before, before); got != nil {
		t.Errorf("of the same: %q", got)
	}
}

// TestConditionThatHoldsOnNothing: it would prove nothing.
func TestConditionThatHoldsOnNothing(t *testing.T) {
	s := stageOf(t, scenarioOf(t, "bare-pod"))
	if hollow := s.sc.hollow(); len(hollow) > 0 {
		t.Errorf("of a scenario that is in order: %q", hollow)
	}
	changed := *s.sc.s.Definition
	condition := *changed.Symptom[0]
	condition.Holds = expression(t, `!can(self.status.phase)`)
	changed.Symptom = append(slices.Clone(changed.Symptom), &condition)
	scenario := *s.sc.s
	scenario.Definition = &changed
	if hollow := stageOf(t, &scenario).sc.hollow(); len(hollow) != 1 {
		t.Errorf("of a condition that holds on an empty object: %q", hollow)
	}
}
