package scenarios

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

// recorded is one line of a recording: an event of a watch on a real cluster, or what is to be made of the events before it.
type recorded struct {
	Type   string
	Object *unstructured.Unstructured
	// Until is the latest time that this or the next event tells: at which the state still stood.
	Until time.Time

	// States are the states that a scenario passes through from the last such line to this.
	States []State
	// Of, where it is not empty, is an object ("Pod/web"), in which the value at the path Set is each of To for a moment: then the
	// states are those of these moments.
	Of, Set string
	To      []any
}

var timestamp = regexp.MustCompile(`"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"`)

// recording reads a file of a recordings folder.
func recording(t *testing.T, path string) []recorded {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var events []recorded
	var latest time.Time
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		e := recorded{}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%s:%d: %v", path, len(events)+1, err)
		}
		if e.Object != nil && (e.Object.GetUID() == "" || kube.QualifiedKind(e.Object) == "") || (e.Object == nil) == (e.States == nil) {
			t.Fatalf("%s:%d is neither a recorded object nor what is to be made of those before it", path, len(events)+1)
		}
		for _, m := range timestamp.FindAllStringSubmatch(lines.Text(), -1) {
			latest = later(latest, parseTime(m[1]))
		}
		if n := len(events); n > 0 {
			events[n-1].Until = latest
		}
		events = append(events, e)
	}
	last := events[len(events)-1]
	for i := len(events) - 1; i >= 0 && (i == len(events)-1 || events[i+1].Object == nil); i-- {
		events[i].Until = latest.Add(time.Minute)
	}
	if last.Object != nil {
		t.Fatalf("%s does not end with the states that are expected", path)
	}
	return events
}

// replay shows the events one after the other, with the sightings that proving would have learned by then, and compares the
// states of the scenario with those that are expected.
func replay(t *testing.T, s *stage, path string) {
	var passed []State
	pass := func(line int, at time.Time) {
		a := s.sc.assess(s.snapshot, at, nil)
		check, verify := s.sc.checked(a), s.sc.verified(a)
		if (check.Verdict == Holds) != (a.State == Solved || a.State == Shown) ||
			(verify.Verdict == Holds) != slices.Contains([]State{Solved, Shown, Broken, Open}, a.State) {
			t.Errorf("%s:%d: %s, but check says %s (%s), and verify %s (%s)", path, line, a.State, check.Verdict, check.Reason, verify.Verdict, verify.Reason)
		}
		if passed = append(passed, a.State); testing.Verbose() {
			t.Logf("%s:%d: %s: %s", path, line, a.State, check.Reason)
		}
	}
	for i, e := range recording(t, path) {
		if e.Object != nil {
			s.happen(e)
			pass(i+1, e.Until)
			continue
		}
		if e.Of != "" {
			passed = nil
			for _, value := range e.To {
				restore := s.set(e.Of, e.Set, value)
				pass(i+1, e.Until)
				restore()
			}
		}
		if passed = slices.Compact(passed); !slices.Equal(passed, e.States) {
			t.Errorf("%s:%d: the scenario passes through %q, want %q", path, i+1, passed, e.States)
		}
		passed = nil
	}
}

// happen shows an event. The objects of the seed are recorded when they first appear, and the symptom when it first shows.
func (s *stage) happen(e recorded) {
	if node, _, _ := unstructured.NestedString(e.Object.Object, "spec", "nodeName"); node != "" {
		s.put(object(s.t, `{kind: Node, apiVersion: v1, metadata: {name: `+node+`}, status: {conditions: [{type: Ready, status: "True"}]}}`))
	}
	seedsIt := slices.ContainsFunc(s.sc.objs, func(o *unstructured.Unstructured) bool { return key(o) == key(e.Object) })
	switch {
	case e.Type == "DELETED":
		s.clear(e.Object.GetKind(), e.Object.GetName())
	case seedsIt && (s.rec == nil || s.rec.Objects[key(e.Object)].UID == ""):
		s.seed(e.Object)
	default:
		s.put(e.Object)
	}
	if s.rec != nil && s.rec.Proven == nil {
		learned := sightings{}
		if a := s.sc.assess(s.snapshot, e.Until, learned); all(a.Symptom...) == Holds {
			s.rec.Proven = &e.Until
			for l := range a.learned {
				s.rec.Sightings = append(s.rec.Sightings, l)
			}
			s.remember()
		}
	}
}

// set puts a value into an object ("Pod/web", "spec.containers.0.image"), and returns what undoes it.
func (s *stage) set(of, path string, value any) (restore func()) {
	s.t.Helper()
	for _, u := range s.snapshot {
		for _, o := range u.Objects {
			if o.GetKind()+"/"+o.GetName() == of {
				changed := o.DeepCopy()
				changed.Object = with(changed.Object, strings.Split(path, "."), value).(map[string]any)
				s.put(changed)
				return func() { s.put(o) }
			}
		}
	}
	s.t.Fatalf("there is no %s in which to set %s", of, path)
	return nil
}

// with returns a part of an object with a value set, which may be one element more of a list.
func with(part any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	switch part := part.(type) {
	case []any:
		i, err := strconv.Atoi(path[0])
		if err != nil {
			panic(fmt.Sprintf("%q is no index", path[0]))
		}
		if i == len(part) {
			return append(part, with(map[string]any{}, path[1:], value))
		}
		part[i] = with(part[i], path[1:], value)
		return part
	case map[string]any:
		part[path[0]] = with(part[path[0]], path[1:], value)
		return part
	}
	return with(map[string]any{}, path, value)
}

// replayAll replays what was recorded of a scenario.
func replayAll(t *testing.T, folder string, d *labfile.Definition) {
	paths, err := filepath.Glob(folder + "/recordings/*.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		replay(t, stageOf(t, &labfile.Scenario{Definition: d}), path)
	}
}

func TestRecorded(t *testing.T) {
	for _, name := range []string{"bare-pod", "deployment"} {
		replayAll(t, "testdata/"+name, scenarioOf(t, name).Definition)
	}
}
