package scenarios

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/kube"
)

// stale says why an object's status does not tell how it is now; "" when it does. A controller
// that has not seen the newest spec reports on an older one, and a node whose kubelet is gone
// leaves its pods' last status standing.
func stale(obj *unstructured.Unstructured, nodes map[string]*unstructured.Unstructured) string {
	observed, found, _ := unstructured.NestedInt64(obj.Object, "status", "observedGeneration")
	if found && observed < obj.GetGeneration() {
		return fmt.Sprintf("the status of %s is older than its last change (generation %d, observed %d)",
			refOf(obj), obj.GetGeneration(), observed)
	}
	if obj.GetKind() != "Pod" {
		return ""
	}
	name, _, _ := unstructured.NestedString(obj.Object, "spec", "nodeName")
	if name == "" {
		return ""
	}
	node, ok := nodes[name]
	if !ok {
		return fmt.Sprintf("%s is on node %s, which does not exist", refOf(obj), name)
	}
	if status, message := kube.Status(node, "Ready"); status != "True" {
		if message == "" {
			message = "no status yet"
		}
		return fmt.Sprintf("%s is on node %s, which is not Ready (%s)", refOf(obj), name, message)
	}
	return ""
}

func refOf(obj *unstructured.Unstructured) string { return kube.Ref(obj.GetKind(), obj.GetName()) }
