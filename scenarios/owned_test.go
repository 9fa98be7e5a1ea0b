package scenarios

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
)

const database = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: default}
spec:
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: nginx}]}}
  volumeClaimTemplates:
    - {metadata: {name: data}, spec: {accessModes: [ReadWriteOnce]}}
    - {metadata: {name: log, labels: {mine: "yes"}}, spec: {accessModes: [ReadWriteOnce]}}
`

// TestResetRemovesWhatWasMadeInItsName: with the marks of the templates, by ownership, and by the names that a
// StatefulSet gives its claims; and nothing else.
func TestResetRemovesWhatWasMadeInItsName(t *testing.T) {
	b := benchOf(t, own(t, sight(`kind = "StatefulSet"
      name = "db"
      holds = true`), database))
	// What was there before, and what only resembles what a StatefulSet makes.
	claim := func(name, extra string) {
		b.Put("persistentvolumeclaims", object(t, fmt.Sprintf(`{kind: PersistentVolumeClaim, apiVersion: v1, metadata: {name: %s, namespace: default%s}}`, name, extra)))
	}
	claim("data-db-7", fmt.Sprintf(`, creationTimestamp: %q`, b.client.ServerNow().Add(-time.Hour).UTC().Format(time.RFC3339)))
	if err := b.r.Apply(t.Context(), event.Discard); err != nil {
		t.Fatal(err)
	}
	set := b.Get("statefulsets", "default", "db")
	for _, template := range set.Object["spec"].(map[string]any)["volumeClaimTemplates"].([]any) {
		labels := template.(map[string]any)["metadata"].(map[string]any)["labels"].(map[string]any)
		if labels[kube.LabelLab] != lab || labels[kube.LabelScenario] != "sight" {
			t.Errorf("the template %v lacks the marks", template)
		}
	}
	now := b.client.ServerNow().Add(time.Minute).UTC().Format(time.RFC3339) // of the seeding or later
	marked := `, labels: {labctl/lab: day10, labctl/scenario: sight}`
	claim("data-db-0", marked)
	claim("log-db-12", fmt.Sprintf(`, creationTimestamp: %q`, now)) // a set of an older labctl, or of the learner's: without marks
	claim("data-db-x", "")
	claim("data-dbx-0", "")
	claim("mine-db-0", "")
	claim("data-db-1", `, ownerReferences: [{apiVersion: v1, kind: Pod, name: another, uid: u}]`)
	owned := func(kind, version, resource, name, uid, owner, ownerUID string) {
		b.Put(resource, object(t, fmt.Sprintf(`{kind: %s, apiVersion: %s, metadata: {name: %s, namespace: default, uid: %s, ownerReferences: [{apiVersion: apps/v1, kind: %s, name: x, uid: %s, controller: true}]}}`, kind, version, name, uid, owner, ownerUID)))
	}
	owned("ControllerRevision", "apps/v1", "controllerrevisions", "db-1", "rev", "StatefulSet", string(set.GetUID()))
	owned("Pod", "v1", "pods", "db-0", "pod", "StatefulSet", string(set.GetUID()))
	owned("Pod", "v1", "pods", "another", "other", "ReplicaSet", "of-another")

	if err := b.r.Destroy(t.Context(), event.Discard); err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]bool{
		"statefulsets/db": false, "controllerrevisions/db-1": false, "pods/db-0": false, "pods/another": true,
		"persistentvolumeclaims/data-db-0": false, "persistentvolumeclaims/log-db-12": false,
		"persistentvolumeclaims/data-db-7": true, "persistentvolumeclaims/data-db-x": true, "persistentvolumeclaims/data-dbx-0": true,
		"persistentvolumeclaims/mine-db-0": true, "persistentvolumeclaims/data-db-1": true,
	} {
		resource, name, _ := strings.Cut(what, "/")
		if is := b.Get(resource, "default", name) != nil; is != want {
			t.Errorf("after the reset %s is there: %v, want %v", what, is, want)
		}
	}
}
