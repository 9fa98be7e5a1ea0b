package scenarios

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

// rest is from when on nothing more is to be expected of the last edit, and whether something still is. It is told from
// the objects that conditions ask about. What none of them shows is not seen: a node that takes long, a program that
// answers late without a readiness probe.
func (a *assessment) rest() (at time.Time, moving bool) {
	return a.Written.Add(settleTime), a.Moving
}

// activity returns when anything of the objects of the conditions was last written, and whether what they say of
// themselves is under way.
func (e *evaluator) activity(conditions []*labfile.Condition) (written time.Time, moving bool) {
	e.each(conditions, func(_ string, obj *unstructured.Unstructured) {
		written = later(written, obj.GetCreationTimestamp().Time)
		for _, f := range obj.GetManagedFields() {
			if f.Time != nil {
				written = later(written, f.Time.Time)
			}
		}
		moving = moving || underWay(obj)
	})
	return written, moving
}

// underWay reports whether an object says that what it asks for is not there yet and may come: it is going, its
// controller has not seen its newest form, its rollout is not at its end, or its containers are being started.
func underWay(obj *unstructured.Unstructured) bool {
	number := func(path ...string) int64 { n, _, _ := unstructured.NestedInt64(obj.Object, path...); return n }
	if obj.GetDeletionTimestamp() != nil {
		return true
	}
	if seen, has, _ := unstructured.NestedInt64(obj.Object, "status", "observedGeneration"); has && seen < obj.GetGeneration() {
		return true
	}
	switch obj.GetKind() {
	case "Pod":
		return podUnderWay(obj)
	case "Deployment", "StatefulSet", "ReplicaSet":
		wanted := number("spec", "replicas")
		updated, has, _ := unstructured.NestedInt64(obj.Object, "status", "updatedReplicas")
		return number("status", "replicas") != wanted || number("status", "readyReplicas") != wanted || has && updated != wanted
	case "DaemonSet":
		return number("status", "numberReady") != number("status", "desiredNumberScheduled")
	case "Job":
		complete, _ := kube.Status(obj, "Complete")
		failed, _ := kube.Status(obj, "Failed")
		return complete != "True" && failed != "True"
	}
	return false
}

// podUnderWay reports whether a pod may yet become ready: it waits for nothing but to be started, or runs and is not
// ready. One that could not be started, or that has ended, does not count; it may be tried again, to no other end. But
// after an edit that is said only once the kubelet has reported since: while an image is pulled, the report is of the one before.
func podUnderWay(pod *unstructured.Unstructured) bool {
	phase, _, _ := unstructured.NestedString(pod.Object, "status", "phase")
	if status, _ := kube.Status(pod, "Ready"); status == "True" || phase == "Succeeded" || phase == "Failed" {
		return false
	}
	statuses, _, _ := unstructured.NestedSlice(pod.Object, "status", "containerStatuses")
	return !slices.ContainsFunc(statuses, func(s any) bool {
		status, _ := s.(map[string]any)
		reason, _, _ := unstructured.NestedString(status, "state", "waiting", "reason")
		return reason != "" && reason != "ContainerCreating" && reason != "PodInitializing"
	}) || !reported(pod).After(edited(pod))
}

// reported is when somebody last wrote the status of an object.
func reported(obj *unstructured.Unstructured) (at time.Time) {
	for _, f := range obj.GetManagedFields() {
		if f.Subresource == "status" && f.Time != nil {
			at = later(at, f.Time.Time)
		}
	}
	return at
}
