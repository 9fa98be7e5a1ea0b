package scenarios

import (
	"fmt"
	"regexp"

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

// environment matches what a failed image pull says when the fault is neither the image's nor the
// exercise's: rate limits, DNS, networks, disks. containerd and Docker Hub word these so.
var environment = regexp.MustCompile(`(?i)toomanyrequests|too many requests|no such host|server misbehaving|` +
	`i/o timeout|tls handshake timeout|connection refused|connection reset|network is unreachable|no route to host|` +
	`deadline exceeded|unexpected EOF|x509:|no space left on device|` +
	`unexpected status(?: code)?[^\n]*: 5\d\d|50[0234] (?:internal server error|bad gateway|service unavailable|gateway time-?out)`)

// pullReasons are the reasons under which the kubelet reports that it could not get an image.
var pullReasons = map[string]bool{
	"ErrImagePull": true, "ImagePullBackOff": true, "RegistryUnavailable": true, "ImageInspectError": true,
}

// outside says which fault of the environment keeps a pod's image from being pulled; "" when none
// does.
func outside(obj *unstructured.Unstructured) string {
	if obj.GetKind() != "Pod" {
		return ""
	}
	for _, list := range []string{"initContainerStatuses", "containerStatuses"} {
		statuses, _, _ := unstructured.NestedSlice(obj.Object, "status", list)
		for _, s := range statuses {
			status, _ := s.(map[string]any)
			reason, _, _ := unstructured.NestedString(status, "state", "waiting", "reason")
			message, _, _ := unstructured.NestedString(status, "state", "waiting", "message")
			if pullReasons[reason] && environment.MatchString(message) {
				return fmt.Sprintf("the image of %s cannot be pulled for a reason outside the exercise: %s", refOf(obj), message)
			}
		}
	}
	return ""
}

func refOf(obj *unstructured.Unstructured) string { return kube.Ref(obj.GetKind(), obj.GetName()) }
