package scenarios

import (
	"bufio"
	"encoding/json"
	"os"
	"regexp"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/kube"
)

// recorded is one event of a watch on a real cluster (Kubernetes 1.35), as testdata holds them.
type recorded struct {
	Type   string
	Object *unstructured.Unstructured
	// Until is the latest time that this or the next event tells: at which the state still stood.
	Until time.Time
}

var timestamp = regexp.MustCompile(`"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"`)

func recording(t *testing.T, name string) []recorded {
	t.Helper()
	f, err := os.Open("testdata/" + name + ".ndjson")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var events []recorded
	var latest time.Time
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Type   string
			Object json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		e := recorded{Type: line.Type, Object: &unstructured.Unstructured{}}
		if err := e.Object.UnmarshalJSON(line.Object); err != nil {
			t.Fatal(err)
		}
		for _, m := range timestamp.FindAllStringSubmatch(lines.Text(), -1) {
			latest = later(latest, parseTime(m[1]))
		}
		if n := len(events); n > 0 {
			events[n-1].Until = latest
		}
		events = append(events, e)
	}
	events[len(events)-1].Until = latest.Add(time.Minute)
	return events
}

// replay shows the events one after the other, with the latches that proving would have learned
// by then, and calls each with what is made of them.
func replay(t *testing.T, name string, each func(i int, e recorded, a *assessment, check, verify Result)) {
	s := newStage(t, name)
	var nodes []string
	for i, e := range recording(t, name) {
		if node, _, _ := unstructured.NestedString(e.Object.Object, "spec", "nodeName"); node != "" {
			nodes = append(nodes, node)
		}
		for _, n := range nodes {
			s.put(&unstructured.Unstructured{Object: map[string]any{
				"kind": "Node", "apiVersion": "v1", "metadata": map[string]any{"name": n},
				"status": map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": "True"}}},
			}})
		}
		switch {
		case e.Type == "DELETED":
			s.clear(e.Object.GetKind(), e.Object.GetName())
		case key(e.Object) == key(s.sc.objs[0]) && (s.rec == nil || len(s.rec.Objects) == 0):
			s.seed(e.Object)
		default:
			s.put(e.Object)
		}
		if s.rec != nil && s.rec.Proven == nil {
			learned := latches{}
			if a := s.sc.assess(s.world, e.Until, learned); all(a.Symptom...) == Holds {
				s.rec.Proven = &e.Until
				for l := range a.learned {
					s.rec.Latches = append(s.rec.Latches, l)
				}
				s.remember()
			}
		}
		a := s.sc.assess(s.world, e.Until, nil)
		each(i, e, a, s.sc.checked(a), s.sc.verified(a))
	}
}

func TestRecordedImagepull(t *testing.T) {
	proven, alternated, last := false, map[string]bool{}, Result{}
	replay(t, "imagepull", func(i int, e recorded, a *assessment, check, verify Result) {
		last = check
		if e.Object.GetGeneration() > 1 {
			return // edited
		}
		if check.Verdict == Holds {
			t.Errorf("event %d: solved before it was mended: %s", i, check.Reason)
		}
		proven = proven || a.State == Broken
		if proven && (verify.Verdict != Holds || a.State != Broken) {
			t.Errorf("event %d: verify flips to %s (%s): %s", i, verify.Verdict, a.State, verify.Reason)
		}
		statuses, _, _ := unstructured.NestedSlice(e.Object.Object, "status", "containerStatuses")
		why, _, _ := unstructured.NestedString(statuses[0].(map[string]any), "state", "waiting", "reason")
		alternated[why] = true
	})
	if !alternated["ErrImagePull"] || !alternated["ImagePullBackOff"] {
		t.Errorf("the recording lacks one of the two reasons: %v", alternated)
	}
	if !proven || last.Verdict != Holds || last.State != Solved {
		t.Errorf("proven %v; at the end %s (%s): %s", proven, last.Verdict, last.State, last.Reason)
	}
}

func TestRecordedCrashloop(t *testing.T) {
	states := map[int64]map[State]bool{1: {}, 2: {}, 3: {}}
	var generation int64
	var last Result
	replay(t, "crashloop", func(i int, e recorded, a *assessment, check, verify Result) {
		if e.Object.GetKind() == "Deployment" {
			generation = e.Object.GetGeneration()
		}
		if generation == 0 {
			return // the pod's event came first
		}
		states[generation][a.State] = true
		last = check
		// Generation 1 is as seeded, 2 has a wrong DATABASE_URL, 3 the right one.
		if generation < 3 && check.Verdict == Holds {
			t.Errorf("event %d: a wrong fix passes: %s", i, check.Reason)
		}
		if generation == 1 && states[1][Broken] && verify.Verdict != Holds {
			t.Errorf("event %d: verify flips to %s: %s", i, verify.Verdict, verify.Reason)
		}
		if verify.Verdict == Holds && a.State != Broken && a.State != Solved {
			t.Errorf("event %d: verify passes in state %s", i, a.State)
		}
	})
	if !states[1][Seeding] || !states[1][Broken] || !states[3][Solved] || states[2][Solved] {
		t.Errorf("states seen per generation: %v", states)
	}
	if last.State != Solved {
		t.Errorf("at the end %s: %s", last.State, last.Reason)
	}
}

func TestRecordingsAreOfRealObjects(t *testing.T) {
	for _, name := range []string{"imagepull", "crashloop"} {
		for i, e := range recording(t, name) {
			if e.Object.GetUID() == "" || kube.QualifiedKind(e.Object) == "" || e.Until.IsZero() {
				t.Errorf("%s, event %d is no recorded object", name, i)
			}
		}
	}
}
