package scenarios

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// latch remembers that a condition was seen to hold on an object: by its UID and its spec, so that
// an edit ends it, and another object of the same name never inherits it.
type latch struct {
	Condition string `json:"condition"`
	UID       string `json:"uid"`
	Spec      string `json:"spec"` // specHash
}

// latches is a set of them.
type latches map[latch]bool

func (l latches) has(condition string, obj *unstructured.Unstructured) bool {
	return l[latch{condition, string(obj.GetUID()), specHash(obj)}]
}

func (l latches) add(condition string, obj *unstructured.Unstructured) {
	l[latch{condition, string(obj.GetUID()), specHash(obj)}] = true
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

// sortLatches gives them an order, so that a record is written the same each time.
func sortLatches(ls []latch) {
	slices.SortFunc(ls, func(a, b latch) int {
		return cmp.Or(cmp.Compare(a.Condition, b.Condition), cmp.Compare(a.UID, b.UID), cmp.Compare(a.Spec, b.Spec))
	})
}
