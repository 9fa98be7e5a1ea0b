package scenarios

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"testing/fstest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

const lab = "day10"

// noon is the API server's clock in tests that have no server.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) string { return noon.Add(-d).Format(time.RFC3339) }

func object(t testing.TB, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	// By JSON's own decoder for objects, so that numbers are int64 as they come from a server.
	data, err := yaml.YAMLToJSON([]byte(text))
	if err == nil {
		err = o.UnmarshalJSON(data)
	}
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// scenarioOf reads a scenario of testdata. The catalogue's are not for tests of the engine: whoever edits one would break them.
func scenarioOf(t testing.TB, name string) *labfile.Scenario {
	t.Helper()
	d, err := definitionIn(os.DirFS("."), "testdata/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return &labfile.Scenario{Definition: d}
}

// own is a scenario as a lab file would define it, with one manifest beside it.
func own(t testing.TB, text, manifest string) *labfile.Scenario {
	t.Helper()
	d, diags := labfile.ParseDefinition(labfile.Source{Name: "scenario.hcl", Bytes: []byte(text), Dir: fstest.MapFS{"all.yaml": {Data: []byte(manifest)}}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return &labfile.Scenario{Definition: d}
}

// stage is a snapshot that a test arranges.
type stage struct {
	t        testing.TB
	sc       *compiled
	snapshot kube.Snapshot
	rec      *record
}

func newStage(t testing.TB, name string) *stage { return stageOf(t, scenarioOf(t, name)) }

func stageOf(t testing.TB, scenario *labfile.Scenario) *stage {
	sc, err := compile(lab, scenario)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, sc: sc, snapshot: kube.Snapshot{}}
	for _, source := range s.sc.sources() {
		s.snapshot[source.query()] = kube.Update{Synced: true}
	}
	s.put(object(t, `{kind: Node, apiVersion: v1, metadata: {name: worker}, status: {conditions: [{type: Ready, status: "True"}]}}`))
	return s
}

// put shows an object to every query that it matches, in place of one of its name.
func (s *stage) put(obj *unstructured.Unstructured) *unstructured.Unstructured {
	if obj.GetUID() == "" {
		obj.SetUID(types.UID("uid-of-" + obj.GetName()))
	}
	for q, u := range s.snapshot {
		if q.Kind != kube.QualifiedKind(obj) && q.Kind != obj.GetKind() || q.Name != "" && q.Name != obj.GetName() {
			continue
		}
		if q.Namespace != "" && q.Namespace != obj.GetNamespace() {
			continue
		}
		kept := []*unstructured.Unstructured{obj}
		for _, o := range u.Objects {
			if o.GetName() != obj.GetName() {
				kept = append(kept, o)
			}
		}
		u.Objects = kept
		s.snapshot[q] = u
	}
	return obj
}

// clear takes an object of this kind and name away.
func (s *stage) clear(kind, name string) {
	for q, u := range s.snapshot {
		var kept []*unstructured.Unstructured
		for _, o := range u.Objects {
			if o.GetKind() != kind || o.GetName() != name {
				kept = append(kept, o)
			}
		}
		u.Objects = kept
		s.snapshot[q] = u
	}
}

// seed puts an object as labctl would have seeded it, and records that.
func (s *stage) seed(obj *unstructured.Unstructured) {
	labels := obj.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[kube.LabelLab], labels[kube.LabelScenario] = lab, s.sc.s.Name
	obj.SetLabels(labels)
	s.put(obj)
	if s.rec == nil {
		s.rec = &record{Begun: noon.Add(-time.Hour), Objects: map[string]seeded{}}
	}
	s.rec.Objects[key(obj)] = seededFrom(obj)
	s.rec.Complete = len(s.rec.Objects) == len(s.sc.objs)
	s.remember()
}

// prove records, or not, that the symptom was seen.
func (s *stage) prove(seen bool) {
	s.rec.Proven = nil
	if seen {
		at := noon.Add(-time.Hour)
		s.rec.Proven = &at
	}
	s.remember()
}

// remember shows the record.
func (s *stage) remember() {
	s.rec.Version = cmp.Or(s.rec.Version, recordVersion)
	data, err := json.Marshal(s.rec)
	if err != nil {
		s.t.Fatal(err)
	}
	s.put(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{s.sc.s.Name: string(data)},
		"metadata": map[string]any{
			"name": recordName(lab), "namespace": recordNamespace, "labels": map[string]any{kube.LabelLab: lab},
		},
	}})
}

func (s *stage) assess() *assessment { return s.sc.assess(s.snapshot, noon, nil) }

// expect checks the state and the verdicts of check and verify.
func (s *stage) expect(when string, state State, check, verify Verdict) {
	s.t.Helper()
	a := s.assess()
	c, v := s.sc.checked(a), s.sc.verified(a)
	if a.State != state || c.Verdict != check || v.Verdict != verify {
		s.t.Errorf("%s: %s, check %s (%s), verify %s (%s); want %s, %s, %s",
			when, a.State, c.Verdict, c.Reason, v.Verdict, v.Reason, state, check, verify)
	}
	if c.Reason == "" || v.Reason == "" {
		s.t.Errorf("%s: no reason given: check %q, verify %q", when, c.Reason, v.Reason)
	}
}

// barePod is the pod of imagepull, with one container in the given state.
func barePod(t testing.TB, image, phase, containerState string, ready bool) *unstructured.Unstructured {
	return object(t, fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: imagepull, namespace: default, generation: 1, creationTimestamp: %q}
spec: {nodeName: worker, containers: [{name: nginx, image: %q}]}
status:
  phase: %s
  observedGeneration: 1
  conditions: [{type: Ready, status: %q, lastTransitionTime: %q}]
  containerStatuses: [{name: nginx, restartCount: 0, ready: %v, lastState: {}, state: %s}]
`, ago(time.Hour), image, phase, title(ready), ago(time.Minute), ready, containerState))
}

func title(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

const (
	notFound = `failed to pull and unpack image "docker.io/library/nginx:99999": docker.io/library/nginx:99999: not found`
	// What containerd says where nothing but the reason is as in the exercise.
	limited = `failed to pull and unpack image "docker.io/library/nginx:99999": unexpected status code 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit`
	noDNS   = `failed to pull and unpack image "docker.io/library/nginx:99999": dial tcp: lookup registry-1.docker.io on 172.18.0.1:53: no such host`
)

func waiting(reason, message string) string {
	return fmt.Sprintf("{waiting: {reason: %s, message: %q}}", reason, message)
}

func running(since time.Duration) string {
	return fmt.Sprintf("{running: {startedAt: %q}}", ago(since))
}
