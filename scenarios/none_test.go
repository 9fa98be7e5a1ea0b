package scenarios

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

// seen makes an evaluator of what is seen of pods by one query, beside a node that is Ready and one that is not.
func seen(t *testing.T, q kube.Query, u kube.Update, live ...*labfile.Object) *evaluator {
	t.Helper()
	nodes := map[string]*unstructured.Unstructured{}
	for name, status := range map[string]string{"worker": "True", "dead": "Unknown"} {
		nodes[name] = object(t, fmt.Sprintf(`{kind: Node, apiVersion: v1, metadata: {name: %s}, status: {conditions: [{type: Ready, status: %q}]}}`, name, status))
	}
	return &evaluator{snapshot: kube.Snapshot{q: u}, nodes: nodes, live: live, base: on(t, `{}`), seen: sightings{}}
}

func podOn(t *testing.T, name, node, more string) *unstructured.Unstructured {
	t.Helper()
	return object(t, fmt.Sprintf(`{kind: Pod, apiVersion: v1, metadata: {name: %s, namespace: default%s}, spec: {nodeName: %s}, status: {phase: Running}}`, name, more, node))
}

const pulling = `{kind: Pod, apiVersion: v1, metadata: {name: web, namespace: default}, status: {phase: Pending, containerStatuses: [{state: {waiting: {reason: ErrImagePull, message: "a: toomanyrequests: slow down"}}}]}}`

func TestNone(t *testing.T) {
	const runs = `self.status.phase == "Running"`
	well, dead := podOn(t, "well", "worker", ""), podOn(t, "frozen", "dead", "")
	going := podOn(t, "going", "worker", `, deletionTimestamp: "2024-01-01T00:00:00Z"`)
	for what, row := range map[string]struct {
		holds, inconclusive string
		update              kube.Update
		want                Verdict
		because             string
	}{
		"nothing is there":                        {"true", "", kube.Update{Synced: true}, Holds, ""},
		"one is there":                            {"true", "", kube.Update{Synced: true, Objects: []*unstructured.Unstructured{well}}, DoesNotHold, "pod/well is there"},
		"one is going":                            {"true", "", kube.Update{Synced: true, Objects: []*unstructured.Unstructured{going}}, DoesNotHold, "pod/going is there, and is being deleted"},
		"one is there on a node that is gone":     {"true", "", kube.Update{Synced: true, Objects: []*unstructured.Unstructured{dead}}, DoesNotHold, "pod/frozen is there"},
		"none holds":                              {`self.status.phase == "Failed"`, "", kube.Update{Synced: true, Objects: []*unstructured.Unstructured{well}}, Holds, ""},
		"a field is not there":                    {`self.status.nope == "Failed"`, "", kube.Update{Synced: true, Objects: []*unstructured.Unstructured{well}}, Holds, ""},
		"one holds":                               {runs, "", kube.Update{Synced: true, Objects: []*unstructured.Unstructured{well}}, DoesNotHold, "pod/well is as it must not be: " + runs},
		"one holds, of another it is not known":   {runs, "", kube.Update{Synced: true, Objects: []*unstructured.Unstructured{dead, well}}, DoesNotHold, "pod/well is as it must not be"},
		"its status is frozen, and says yes":      {runs, "", kube.Update{Synced: true, Objects: []*unstructured.Unstructured{dead}}, Inconclusive, "on node dead, which is not Ready"},
		"its status is frozen, and says no":       {"!(" + runs + ")", "", kube.Update{Synced: true, Objects: []*unstructured.Unstructured{dead}}, Inconclusive, "on node dead, which is not Ready"},
		"its status is not asked for":             {`self.metadata.name == "frozen"`, "", kube.Update{Synced: true, Objects: []*unstructured.Unstructured{dead}}, DoesNotHold, "as it must not be"},
		"a fault outside by what the file says":   {`self.metadata.name == "other"`, runs, kube.Update{Synced: true, Objects: []*unstructured.Unstructured{well}}, Inconclusive, "a fault outside the exercise"},
		"a fault outside that labctl knows":       {`self.status.phase == "Pending"`, "", kube.Update{Synced: true, Objects: []*unstructured.Unstructured{object(t, pulling)}}, Inconclusive, "a reason outside the exercise"},
		"a fault outside that changes nothing":    {runs, "", kube.Update{Synced: true, Objects: []*unstructured.Unstructured{object(t, pulling)}}, Holds, ""},
		"it was not seen yet":                     {"true", "", kube.Update{}, Inconclusive, "not seen yet"},
		"it cannot be read":                       {"true", "", kube.Update{Synced: true, Err: errors.New("forbidden")}, Inconclusive, "forbidden"},
		"the cluster knows no such kind of thing": {"true", "", kube.Update{Synced: true, Err: &kube.KindError{Kind: "Pod"}}, Inconclusive, `no kind "Pod", so that there is none of it says nothing`},
	} {
		c := conditionOn(t, row.holds)
		c.None = true
		if row.inconclusive != "" {
			c.InconclusiveIf, c.InconclusiveIfSource = expression(t, row.inconclusive), row.inconclusive
		}
		if f := seen(t, sourceOf(c).query(), row.update).find("condition", c); f.Verdict != row.want || !strings.Contains(f.Reason, row.because) {
			t.Errorf("%s: %s, %q; want %s, %q", what, f.Verdict, f.Reason, row.want, row.because)
		}
	}
}

// Nothing dates that something is gone: it has to be gone for as long as it must, look for look, and what comes back was not.
func TestNoneIsHeld(t *testing.T) {
	text := strings.Replace(fitting, "  solved {", "  solved {\n    stable_for = \"2s\"", 1)
	_, rest, _ := strings.Cut(text, `    condition "selected" {`)
	_, rest, _ = strings.Cut(rest, "  solution {")
	head, _, _ := strings.Cut(text, `    condition "selected" {`)
	b := benchOf(t, own(t, head+`    condition "gone" {
      says  = "it is gone"
      kind  = "ConfigMap"
      name  = "old"
      match = "none"
    }
  }
  solution {`+rest, ""))
	began := time.Now()
	c := b.r.Check(t.Context(), event.Discard, CheckOptions{})
	if took := time.Since(began); c.Verdict != Holds || took < 2*time.Second {
		t.Errorf("%s after %s: %s", c.Verdict, took, c.Reason)
	}
	b.put("configmaps", `{kind: ConfigMap, apiVersion: v1, metadata: {name: old, namespace: default, creationTimestamp: "2024-01-01T00:00:00Z"}}`)
	if c := b.r.Check(t.Context(), event.Discard, CheckOptions{}); c.Verdict != DoesNotHold {
		t.Errorf("%s: %s", c.Verdict, c.Reason)
	}
}
