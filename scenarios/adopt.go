package scenarios

import (
	"encoding/json"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/kube"
)

// adopt makes a record of objects that carry our marks when the record itself was lost. They may
// have been worked on since, so that nothing may be seeded over them. What was asked for at first is not known
// of those that somebody has written to.
func adopt(ours []*unstructured.Unstructured) *record {
	r := &record{Objects: map[string]seeded{}, Complete: true}
	for _, o := range ours {
		was := seededFrom(o)
		if rewritten(o) {
			was.Spec = ""
		}
		r.Objects[key(o)] = was
		if t := o.GetCreationTimestamp().UTC(); r.Begun.IsZero() || t.Before(r.Begun) {
			r.Begun = t
		}
	}
	return r
}

// ownManagers are the names under which the cluster itself writes to objects.
var ownManagers = []string{kube.FieldManager, "kube-controller-manager", "kube-scheduler", "kubelet", "kube-apiserver"}

// rewritten reports whether somebody has written to what an object asks for since labctl made it.
func rewritten(obj *unstructured.Unstructured) bool {
	for _, f := range obj.GetManagedFields() {
		if f.Subresource != "" || f.FieldsV1 == nil || slices.Contains(ownManagers, f.Manager) {
			continue
		}
		var fields map[string]any
		if err := json.Unmarshal(f.FieldsV1.Raw, &fields); err != nil || len(without(fields, "f:metadata", "f:status")) > 0 {
			return true
		}
	}
	return false
}
