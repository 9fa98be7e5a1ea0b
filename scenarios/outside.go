package scenarios

import (
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

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
			if pullReasons[reason] && environmental(message) {
				return fmt.Sprintf("the image of %s cannot be pulled for a reason outside the exercise: %s", refOf(obj), message)
			}
		}
	}
	return ""
}

// environment matches a part of what a failed image pull says when the fault is neither the image's nor
// the exercise's: rate limits, DNS, networks, certificates, disks. containerd and Docker Hub word these so.
var environment = regexp.MustCompile(`(?i)^(?:toomanyrequests|(?:429 )?too many requests.*|no such host|server misbehaving|` +
	`i/o timeout|tls handshake timeout|connection refused|connection reset by peer|network is unreachable|no route to host|` +
	`.*\bdeadline exceeded.*|(?:unexpected )?EOF|x509|.*\bno space left on device|` +
	`5\d\d(?: [a-z -]+)?)$`)

// quoted matches what a message quotes: image references and addresses.
var quoted = regexp.MustCompile(`"[^"]*"`)

// environmental reports whether the message of a failed pull tells of a fault of the environment. Such
// a message is a chain of causes, "doing this: that failed: why", in which the learner's own words
// stand as well: the image's name, which is his to choose ("x509:1", "toomanyrequests/nginx"). So a
// cause counts only where it is a whole link of the chain, and nothing that is quoted does. An image's
// name has no spaces, and thus never a link's end (": ") within it.
func environmental(message string) bool {
	message = quoted.ReplaceAllString(message, "")
	for line := range strings.Lines(message) {
		for link := range strings.SplitSeq(line, ": ") {
			link = strings.TrimSpace(link)
			// gRPC puts its code before the first cause, Docker Hub's answer follows the status.
			if _, desc, is := strings.Cut(link, " desc = "); is {
				link = desc
			}
			link, _, _ = strings.Cut(link, " - ")
			if environment.MatchString(strings.TrimRight(link, ".,;")) {
				return true
			}
		}
	}
	return false
}
