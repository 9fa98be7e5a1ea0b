package scenarios

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/zclconf/go-cty/cty"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// heldSince returns since when the objects of the conditions are as they are, by the clocks in
// the cluster: the latest edit, start or end of a container, or change of a status condition. A
// container that restarts starts the time anew, so a crash loop cannot pass in the moment after a
// restart; so does a condition that has turned, to True or to False: what was true for a moment in
// between has not held. The times have whole seconds: what has held for N seconds may have held for
// nearly one less.
func (e *evaluator) heldSince(conditions []*labfile.Condition) time.Time {
	var latest time.Time
	for _, c := range conditions {
		e.each([]*labfile.Condition{c}, func(called string, obj *unstructured.Unstructured) {
			latest = later(latest, edited(obj))
			for _, list := range []string{"initContainerStatuses", "containerStatuses"} {
				statuses, _, _ := unstructured.NestedSlice(obj.Object, "status", list)
				for _, s := range statuses {
					status, _ := s.(map[string]any)
					began, _, _ := unstructured.NestedString(status, "state", "running", "startedAt")
					ended, _, _ := unstructured.NestedString(status, "state", "terminated", "finishedAt")
					latest = later(later(latest, parseTime(began)), parseTime(ended))
				}
			}
			for _, condition := range usedConditions(c.Holds, called, obj) {
				at, _ := condition["lastTransitionTime"].(string)
				latest = later(latest, parseTime(at))
			}
		})
	}
	return latest
}

// looksAtStatus reports whether an expression looks at the status of the object, or the list of objects, that it calls so.
func looksAtStatus(expr hcl.Expression, called string) bool {
	return slices.ContainsFunc(expr.Variables(), func(t hcl.Traversal) bool {
		rest, is := strings.CutPrefix(spell(t), called)
		return is && (rest == "" || rest[0] == '[' || rest == ".status" || strings.HasPrefix(rest, ".status.") || strings.HasPrefix(rest, ".status["))
	})
}

// usedConditions returns those of an object's status conditions that an expression, in which it is called so, rests on: the
// ones whose type it names (c.type == "Ready"); all where it looks at the status and names none, since they
// date changes that the rest of the status does not; none where it does not look at the status.
func usedConditions(expr hcl.Expression, called string, obj *unstructured.Unstructured) (used []map[string]any) {
	if !looksAtStatus(expr, called) {
		return nil
	}
	words := literals(expr)
	var all []map[string]any
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		all = append(all, condition)
		if kind, _ := condition["type"].(string); words[kind] {
			used = append(used, condition)
		}
	}
	if len(used) > 0 {
		return used
	}
	return all
}

// literals returns the texts that are written out in an expression.
func literals(expr hcl.Expression) map[string]bool {
	words := map[string]bool{}
	if node, ok := expr.(hclsyntax.Expression); ok {
		_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
			if lit, is := n.(*hclsyntax.LiteralValueExpr); is && lit.Val.Type() == cty.String && !lit.Val.IsNull() {
				words[lit.Val.AsString()] = true
			}
			return nil
		})
	}
	return words
}

// touched returns when the objects of the conditions were last made or edited.
func (e *evaluator) touched(conditions []*labfile.Condition) time.Time {
	var latest time.Time
	e.each(conditions, func(_ string, obj *unstructured.Unstructured) { latest = later(latest, edited(obj)) })
	return latest
}

// each calls do with every object that conditions ask about or compare with, and what their expressions call it.
func (e *evaluator) each(conditions []*labfile.Condition, do func(called string, obj *unstructured.Unstructured)) {
	for _, c := range conditions {
		for _, o := range e.compared(c) {
			for _, obj := range e.liveObjects(o) {
				do("live."+o.Name, obj)
			}
		}
		if c.Evidence == nil {
			continue
		}
		objs, _ := e.objects(c) // none that are not known
		for _, obj := range objs {
			do("self", obj)
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

// sighting remembers that a condition was seen to hold on an object: by its UID and its spec, so that
// an edit ends it, and another object of the same name never inherits it.
type sighting struct {
	Condition string `json:"condition"`
	UID       string `json:"uid"`
	Spec      string `json:"spec"` // specHash
}

// sightings is a set of them.
type sightings map[sighting]bool

func (l sightings) has(condition string, obj *unstructured.Unstructured) bool {
	return l[sighting{condition, string(obj.GetUID()), specHash(obj)}]
}

func (l sightings) add(condition string, obj *unstructured.Unstructured) {
	l[sighting{condition, string(obj.GetUID()), specHash(obj)}] = true
}

// specHash identifies what an object asks for: its spec, or for kinds without one everything but
// metadata and status. A pod's node is left out, since the scheduler writes that into the spec.
func specHash(obj *unstructured.Unstructured) string {
	var part any
	if spec, ok := obj.Object["spec"].(map[string]any); ok {
		part = without(spec, "nodeName")
	} else {
		part = without(obj.Object, "metadata", "status", "apiVersion", "kind")
	}
	text, err := json.Marshal(part) // maps are written sorted
	if err != nil {
		return "" // not JSON: cannot come from an API server
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

func without(m map[string]any, keys ...string) map[string]any {
	rest := maps.Clone(m)
	for _, k := range keys {
		delete(rest, k)
	}
	return rest
}

// sortSightings gives them an order, so that a record is written the same each time.
func sortSightings(ls []sighting) {
	slices.SortFunc(ls, func(a, b sighting) int {
		return cmp.Or(cmp.Compare(a.Condition, b.Condition), cmp.Compare(a.UID, b.UID), cmp.Compare(a.Spec, b.Spec))
	})
}

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
	`(?:407|5\d\d)(?: [a-z -]+)?)$`)

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
