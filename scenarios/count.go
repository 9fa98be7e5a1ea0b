package scenarios

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/labfile"
)

// counted returns those of the objects found that a condition asks about. Two kinds are left out,
// unless the condition itself refers to what sets them apart:
//
//   - What is being deleted (deletionTimestamp): it is on its way out and proves nothing. That is
//     also what becomes of the pods of a lost node.
//   - Where a selector finds them, pods that have Failed (evicted, past their deadline, refused by the
//     node, shut down with it) or Succeeded and whose controller puts another in their place:
//     ReplicaSet (so Deployment), StatefulSet, DaemonSet, ReplicationController. They stay listed
//     until somebody deletes them, and say nothing about what runs. A condition that refers to
//     self.status.reason ("Evicted") sees them.
//
// A Job's finished pods count, since to finish is what they are for, and so do pods without a
// controller, which nobody replaces. So does everything that still runs, such as the pods of an
// older ReplicaSet during a rolling update: until they are gone, the update is not over.
func counted(c *labfile.Condition, objs []*unstructured.Unstructured) []*unstructured.Unstructured {
	if !refersTo(c.Holds, "self.metadata.deletionTimestamp") {
		objs = alive(objs)
	}
	if sourceOf(c).query().Name != "" || refersTo(c.Holds, "self.status.reason") {
		return objs
	}
	var kept []*unstructured.Unstructured
	for _, o := range objs {
		if !replaced(o) {
			kept = append(kept, o)
		}
	}
	return kept
}

func alive(objs []*unstructured.Unstructured) []*unstructured.Unstructured {
	var live []*unstructured.Unstructured
	for _, o := range objs {
		if o.GetDeletionTimestamp() == nil {
			live = append(live, o)
		}
	}
	return live
}

// replacers are the controllers that make a new pod for each that has finished, by group and kind.
var replacers = map[string]bool{
	"apps/ReplicaSet": true, "apps/StatefulSet": true, "apps/DaemonSet": true, "/ReplicationController": true,
}

// replaced reports whether an object is a pod that has finished for good and whose controller makes
// another one instead.
func replaced(obj *unstructured.Unstructured) bool {
	phase, _, _ := unstructured.NestedString(obj.Object, "status", "phase")
	if obj.GetKind() != "Pod" || phase != "Failed" && phase != "Succeeded" {
		return false
	}
	for _, owner := range obj.GetOwnerReferences() {
		group, _, grouped := strings.Cut(owner.APIVersion, "/")
		if !grouped {
			group = ""
		}
		if owner.Controller != nil && *owner.Controller && replacers[group+"/"+owner.Kind] {
			return true
		}
	}
	return false
}

// refersTo reports whether an expression has this very reference, or one that begins with it.
func refersTo(expr hcl.Expression, path string) bool {
	for _, t := range expr.Variables() {
		if spelt := spell(t); spelt == path || strings.HasPrefix(spelt, path+".") || strings.HasPrefix(spelt, path+"[") {
			return true
		}
	}
	return false
}
