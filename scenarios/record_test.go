package scenarios

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/provision"
)

// kubelet reports the symptom on every pod imagepull that has no status yet, until the test ends.
func (b *bench) kubelet() {
	pods := kube.Query{Kind: "Pod", Namespace: "default", Name: "imagepull"}
	var ended sync.WaitGroup
	b.t.Cleanup(ended.Wait) // the context of the test has ended by then
	ended.Go(func() {
		_ = b.client.Until(b.t.Context(), []kube.Query{pods}, func(w kube.Snapshot) kube.Decision {
			for _, pod := range w[pods].Objects {
				if pod.Object["status"] == nil {
					b.status("imagepull", brokenStatus)
				}
			}
			return kube.Decision{}
		})
	})
}

// damages are what can become of a record.
var damages = map[string]func(cm *unstructured.Unstructured){
	"no JSON":       func(cm *unstructured.Unstructured) { setRecord(cm, "{bad") },
	"empty":         func(cm *unstructured.Unstructured) { setRecord(cm, "") },
	"null":          func(cm *unstructured.Unstructured) { setRecord(cm, "null") },
	"a list":        func(cm *unstructured.Unstructured) { setRecord(cm, "[]") },
	"nothing in it": func(cm *unstructured.Unstructured) { setRecord(cm, "{}") },
	"wrong types":   func(cm *unstructured.Unstructured) { setRecord(cm, `{"version":1,"begun":true,"objects":7}`) },
	"nameless": func(cm *unstructured.Unstructured) {
		setRecord(cm, `{"version":1,"begun":"2026-03-01T12:00:00Z","objects":{"x":{}}}`)
	},
	"not our label":  func(cm *unstructured.Unstructured) { cm.SetLabels(nil) },
	"another's":      func(cm *unstructured.Unstructured) { cm.SetLabels(nil); setRecord(cm, "hello") },
	"without data":   func(cm *unstructured.Unstructured) { delete(cm.Object, "data") },
	"another's data": func(cm *unstructured.Unstructured) { cm.Object["data"] = map[string]any{"other": "x"} },
}

func setRecord(cm *unstructured.Unstructured, text string) {
	_ = unstructured.SetNestedField(cm.Object, text, "data", "bare-pod")
}

// TestBrokenRecordIsALostOne: neither up nor reset refuses for it, and what is said agrees with itself.
func TestBrokenRecordIsALostOne(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "bare-pod")
			b.kubelet()
			b.up()
			hurt := func() {
				cm := b.Get("configmaps", recordNamespace, recordName(lab))
				damage(cm)
				b.Put("configmaps", cm)
			}
			hurt()
			b.agrees(Holds)
			if err := b.r.Apply(t.Context(), event.Discard); err != nil {
				t.Fatalf("up: %v", err)
			}
			if o := b.observe(provision.Current); !o.Settled() {
				t.Errorf("after up there is still to do: %s", o.Action)
			}
			before := b.Get("pods", "default", "imagepull").GetUID()
			hurt()
			if err := b.reset(t.Context()); err != nil {
				t.Fatalf("reset: %v", err)
			}
			if b.Get("pods", "default", "imagepull").GetUID() == before {
				t.Error("reset did not make the pod again")
			}
			b.agrees(Holds)
		})
	}
}

// agrees checks that Observe and Verify say the same.
func (b *bench) agrees(want Verdict) {
	b.t.Helper()
	o, err := b.r.Observe(b.t.Context())
	v := b.r.Verify(b.t.Context())
	if err != nil || v.Verdict != want || (o.State == provision.Current) != (want == Holds) || o.Reason != v.Reason {
		b.t.Errorf("observed %s (%s), %v; verify %s (%s); want %s", o.State, o.Reason, err, v.Verdict, v.Reason, want)
	}
	if v.Verdict == DoesNotHold && v.Next == "" {
		b.t.Errorf("no advice with: %s", v.Reason)
	}
}

// TestLostRecordIsRebuilt: what carries the marks is broken as declared if that is seen, and else is not said to be.
func TestLostRecordIsRebuilt(t *testing.T) {
	b := newBench(t, "bare-pod")
	b.up()
	lose := func() { b.Remove("configmaps", b.Get("configmaps", recordNamespace, recordName(lab))) }
	lose()
	b.agrees(Holds)
	if o := b.observe(provision.Current); o.Settled() {
		t.Error("up would not record anything")
	}
	// The graph, as `up` does it.
	graph, err := provision.NewGraph(b.r)
	if err != nil {
		t.Fatal(err)
	}
	if err := graph.Apply(t.Context(), event.Discard); err != nil {
		t.Fatal(err)
	}
	if o := b.observe(provision.Current); !o.Settled() || b.Get("configmaps", recordNamespace, recordName(lab)) == nil {
		t.Errorf("up recorded nothing; there is still to do: %q", o.Action)
	}

	lose()
	b.status("imagepull", `{phase: Pending}`)
	b.agrees(DoesNotHold)

	// Half repaired: nothing is seeded over it, and no symptom is waited for.
	pod := b.Get("pods", "default", "imagepull")
	pod.Object["spec"].(map[string]any)["containers"].([]any)[0].(map[string]any)["image"] = "nginx:1.2"
	pod.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: "kubectl-edit", FieldsV1: &metav1.FieldsV1{Raw: []byte(`{"f:spec":{}}`)}}})
	b.Put("pods", pod)
	b.agrees(DoesNotHold)
	b.observe(provision.Drifted)
	b.quiet("up", func() {
		began := time.Now()
		if err := b.r.Apply(t.Context(), event.Discard); err != nil || time.Since(began) > 5*time.Second {
			t.Errorf("up took %s: %v", time.Since(began), err)
		}
	})
}

func TestIncompleteSeedIsNotAsDeclared(t *testing.T) {
	s := brokenPod(t)
	s.rec.Complete = false
	s.remember()
	s.expect("cut short, with the symptom", Seeding, DoesNotHold, DoesNotHold)
}

// TestNewerRecordIsLeftAlone: it may say what this labctl does not know how to undo.
func TestNewerRecordIsLeftAlone(t *testing.T) {
	b := newBench(t, "bare-pod")
	b.up()
	cm := b.Get("configmaps", recordNamespace, recordName(lab))
	setRecord(cm, `{"version":99,"begun":["in another form"]}`)
	b.Put("configmaps", cm)
	b.quiet("up and reset", func() {
		for name, err := range map[string]error{"up": b.r.Apply(t.Context(), event.Discard), "reset": b.reset(t.Context())} {
			if clierr.ClassOf(err) != clierr.Refused || clierr.NextOf(err) == "" {
				t.Errorf("%s: %v, want a refusal with a cure", name, err)
			}
		}
	})
}

// TestOldRecordIsRead: of a labctl that wrote no namespaces into the keys.
func TestOldRecordIsRead(t *testing.T) {
	b := newBench(t, "bare-pod")
	b.up()
	cm := b.Get("configmaps", recordNamespace, recordName(lab))
	text, _, _ := unstructured.NestedString(cm.Object, "data", "bare-pod")
	var r map[string]any
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	r["version"], r["objects"] = 1, map[string]any{"Pod/imagepull": r["objects"].(map[string]any)["Pod/default/imagepull"]}
	old, _ := json.Marshal(r)
	setRecord(cm, string(old))
	b.Put("configmaps", cm)
	if o := b.observe(provision.Current); !o.Settled() {
		t.Errorf("there is still to do: %s", o.Action)
	}
	// Its UID is still known: another pod of the name is not the one.
	b.Remove("pods", b.Get("pods", "default", "imagepull"))
	if v := b.r.Verify(t.Context()); v.State != OriginalGone {
		t.Errorf("after the pod was deleted: %s: %s", v.State, v.Reason)
	}
}

// TestWhatCountsAsARecord: what says nothing of its beginning would make everything in a cluster the learner's.
func TestWhatCountsAsARecord(t *testing.T) {
	for text, whole := range map[string]bool{
		`{"version":2,"begun":"2026-03-01T12:00:00Z"}`:                                               true,
		`{"version":1,"begun":"2026-03-01T12:00:00Z","objects":{"Pod/a":{"kind":"Pod","name":"a"}}}`: true,
		`{"version":2}`:                    false,
		`{"begun":"2026-03-01T12:00:00Z"}`: false,
		`{"version":2,"begun":"2026-03-01T12:00:00Z","objects":{"Pod/default/a":{"kind":"Pod"}}}`: false,
	} {
		for label, trusted := range map[string]bool{kube.LabelLab: true, "another": false} {
			cm := object(t, `{kind: ConfigMap, apiVersion: v1, metadata: {name: x, labels: {`+label+`: `+lab+`}}}`)
			setRecord(cm, text)
			r, kept, err := readRecord(kube.Update{Synced: true, Objects: []*unstructured.Unstructured{cm}}, lab, "bare-pod")
			if (r != nil) != (whole && trusted) || !kept || err != nil {
				t.Errorf("%s with the label %s: %+v, kept %v, %v", text, label, r, kept, err)
			}
		}
	}
}
