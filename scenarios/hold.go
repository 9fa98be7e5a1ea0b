package scenarios

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/labfile"
)

// heldSince returns since when the objects of the conditions are as they are, by the clocks in
// the cluster: the latest start of a container, change of a status condition to True, or edit. A
// container that restarts starts the time anew, so a crash loop cannot pass in the moment after a
// restart. The times have whole seconds: what has held for N seconds may have held for nearly one
// less.
func (j *judge) heldSince(conditions []*labfile.Condition) time.Time {
	var latest time.Time
	j.each(conditions, func(obj *unstructured.Unstructured) {
		latest = later(latest, edited(obj))
		statuses, _, _ := unstructured.NestedSlice(obj.Object, "status", "containerStatuses")
		for _, s := range statuses {
			status, _ := s.(map[string]any)
			at, _, _ := unstructured.NestedString(status, "state", "running", "startedAt")
			latest = later(latest, parseTime(at))
		}
		conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
		for _, c := range conditions {
			condition, _ := c.(map[string]any)
			if condition["status"] == "True" {
				at, _ := condition["lastTransitionTime"].(string)
				latest = later(latest, parseTime(at))
			}
		}
	})
	return latest
}

// touched returns when the objects of the conditions were last made or edited.
func (j *judge) touched(conditions []*labfile.Condition) time.Time {
	var latest time.Time
	j.each(conditions, func(obj *unstructured.Unstructured) { latest = later(latest, edited(obj)) })
	return latest
}

func (j *judge) each(conditions []*labfile.Condition, do func(*unstructured.Unstructured)) {
	for _, c := range conditions {
		objs, err := j.objects(c)
		if err != nil {
			continue
		}
		for _, obj := range objs {
			do(obj)
		}
	}
}

// edited returns when an object was made, or somebody last changed what it asks for. Writes to its
// status do not count.
func edited(obj *unstructured.Unstructured) time.Time {
	latest := obj.GetCreationTimestamp().Time
	for _, f := range obj.GetManagedFields() {
		if f.Subresource == "" && f.Time != nil {
			latest = later(latest, f.Time.Time)
		}
	}
	return latest
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func parseTime(s string) time.Time {
	var t metav1.Time
	if err := t.UnmarshalQueryParameter(s); err != nil {
		return time.Time{}
	}
	return t.Time
}
