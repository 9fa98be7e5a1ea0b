package scenarios

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const crashed = `{terminated: {exitCode: 1, reason: Error}}`

// shop is the seeded Deployment, as if its status were as wanted.
func shop(t testing.TB, s *stage, change func(template map[string]any)) *unstructured.Unstructured {
	t.Helper()
	d := s.sc.objs[0].DeepCopy()
	d.SetNamespace("default")
	d.SetGeneration(1)
	d.SetUID("uid-of-crashloop")
	_ = unstructured.SetNestedField(d.Object, ago(time.Hour), "metadata", "creationTimestamp")
	if change != nil {
		template, _, _ := unstructured.NestedMap(d.Object, "spec", "template", "spec")
		change(template)
		_ = unstructured.SetNestedMap(d.Object, template, "spec", "template", "spec")
	}
	d.Object["status"] = map[string]any{
		"observedGeneration": int64(1), "replicas": int64(1), "updatedReplicas": int64(1), "availableReplicas": int64(1),
	}
	return d
}

// shopPod is a pod of it.
func shopPod(t testing.TB, d *unstructured.Unstructured, name string, restarts int, state, last string, ready bool) *unstructured.Unstructured {
	p := object(t, fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %s, namespace: default, labels: {app: crashloop}, creationTimestamp: %q}
status:
  phase: Running
  containerStatuses: [{name: shop, restartCount: %d, ready: %v, state: %s, lastState: %s}]
`, name, ago(time.Hour), restarts, ready, state, last))
	spec, _, _ := unstructured.NestedMap(d.Object, "spec", "template", "spec")
	spec["nodeName"] = "worker"
	p.Object["spec"] = spec
	return p
}

func brokenDeployment(t testing.TB) (*stage, *unstructured.Unstructured) {
	s := newStage(t, "deployment")
	d := shop(t, s, nil)
	s.seed(d)
	s.prove(true)
	s.put(shopPod(t, d, "crashloop-1", 3, waiting("CrashLoopBackOff", "back-off 40s restarting failed container"), crashed, false))
	return s, d
}

func withEnv(value string) func(map[string]any) {
	return func(spec map[string]any) {
		c := spec["containers"].([]any)[0].(map[string]any)
		c["env"] = []any{map[string]any{"name": "DATABASE_URL", "value": value}}
	}
}

func TestDeploymentInEachOfItsStates(t *testing.T) {
	s := newStage(t, "deployment")
	s.expect("untouched", Pristine, DoesNotHold, DoesNotHold)
	d := shop(t, s, nil)
	s.seed(d)
	s.expect("no pod yet", Seeding, DoesNotHold, DoesNotHold)
	for _, c := range []struct {
		name     string
		restarts int
		state    string
		last     string
		ready    bool
		want     State
	}{
		{"first run", 0, running(time.Second), "{}", true, Seeding},
		{"first crash", 0, crashed, "{}", false, Seeding},
		{"second run", 1, running(0), crashed, true, Broken},
		{"second crash", 1, crashed, crashed, false, Broken},
		{"waiting", 1, waiting("CrashLoopBackOff", "back-off 10s"), crashed, false, Broken},
		{"restarted for another cause", 1, running(time.Second), `{terminated: {exitCode: 137, reason: OOMKilled}}`, true, Seeding},
		{"up since its node was restarted", 1, running(time.Hour), `{terminated: {exitCode: 255, reason: Unknown}}`, true, Solved},
	} {
		verify := DoesNotHold
		if c.want == Broken || c.want == Solved {
			verify = Holds
		}
		s.put(shopPod(t, d, "crashloop-1", c.restarts, c.state, c.last, c.ready))
		if c.want == Broken {
			s.prove(false)
			s.expect(c.name+", not recorded yet", Broken, DoesNotHold, Holds)
		}
		s.prove(c.want == Broken)
		a := s.assess()
		if v := s.sc.verified(a); a.State != c.want || v.Verdict != verify {
			t.Errorf("%s: %s, verify %s (%s); want %s, %s", c.name, a.State, v.Verdict, v.Reason, c.want, verify)
		}
	}
}

func TestDeploymentNeverPassesAfterARestart(t *testing.T) {
	s, d := brokenDeployment(t)
	s.put(shopPod(t, d, "crashloop-1", 4, running(500*time.Millisecond), crashed, true))
	s.expect("Running and Ready for a moment", Broken, DoesNotHold, Holds)

	// The same with an edited template whose pod has not crashed yet.
	s, _ = brokenDeployment(t)
	d = shop(t, s, withEnv("mysql://db/shop"))
	s.put(d)
	s.clear("Pod", "crashloop-1")
	s.put(shopPod(t, d, "crashloop-2", 0, running(time.Second), "{}", true))
	s.expect("first run of a wrong fix", Changed, DoesNotHold, DoesNotHold)
	if s.assess().pending() != 4*time.Second {
		t.Errorf("has to hold for %s more", s.assess().pending())
	}
}

func TestDeploymentSolved(t *testing.T) {
	s, _ := brokenDeployment(t)
	d := shop(t, s, withEnv("postgres://db.example:5432/shop"))
	s.put(d)
	s.put(shopPod(t, d, "crashloop-2", 0, running(10*time.Second), "{}", true))
	s.expect("the old pod is still there", Broken, DoesNotHold, Holds)
	old := shopPod(t, d, "crashloop-1", 3, waiting("CrashLoopBackOff", "back-off"), crashed, false)
	_ = unstructured.SetNestedField(old.Object, ago(time.Second), "metadata", "deletionTimestamp")
	s.put(old)
	s.expect("the old pod is going", Solved, Holds, Holds)
	s.clear("Pod", "crashloop-1")
	s.expect("the old pod is gone", Solved, Holds, Holds)
	d = d.DeepCopy()
	d.SetGeneration(2)
	s.put(d)
	s.expect("the Deployment was edited just now", Unknown, Inconclusive, Inconclusive)
}

func image(name string) func(map[string]any) {
	return func(spec map[string]any) { spec["containers"].([]any)[0].(map[string]any)["image"] = name }
}

func TestDeploymentWrongFixes(t *testing.T) {
	command := func(command ...any) func(map[string]any) {
		return func(spec map[string]any) { spec["containers"].([]any)[0].(map[string]any)["command"] = command }
	}
	for name, change := range map[string]func(map[string]any){
		"sleep":         command("sleep", "86400"),
		"another image": image("nginx:1.25"),
		"args":          func(spec map[string]any) { spec["containers"].([]any)[0].(map[string]any)["args"] = []any{"x"} },
		"a second container": func(spec map[string]any) {
			spec["containers"] = append(spec["containers"].([]any), map[string]any{"name": "x", "image": "nginx"})
		},
	} {
		s, _ := brokenDeployment(t)
		s.clear("Pod", "crashloop-1")
		d := shop(t, s, change)
		s.put(d)
		s.put(shopPod(t, d, "crashloop-2", 0, running(time.Hour), "{}", true))
		s.expect(name, Changed, DoesNotHold, DoesNotHold)
		a := s.assess()
		if (&checkWait{sc: s.sc}).mayStillChange(a) {
			t.Errorf("%s: check would wait, though a guard says no", name)
		}
	}

	s, d := brokenDeployment(t)
	s.clear("Pod", "crashloop-1")
	d = d.DeepCopy()
	_ = unstructured.SetNestedField(d.Object, int64(0), "spec", "replicas")
	d.Object["status"] = map[string]any{"observedGeneration": int64(1), "replicas": int64(0), "updatedReplicas": int64(0), "availableReplicas": int64(0)}
	s.put(d)
	s.expect("no replicas", Changed, DoesNotHold, DoesNotHold)

	// A pod of the learner's own with the same label does not stand for the Deployment's.
	s, _ = brokenDeployment(t)
	s.put(shopPod(t, shop(t, s, command("sleep", "1")), "mine", 0, running(time.Hour), "{}", true))
	s.expect("another pod beside it", Broken, DoesNotHold, Holds)
	s.clear("Deployment", "crashloop")
	s.clear("Pod", "crashloop-1")
	s.expect("the Deployment deleted", Changed, DoesNotHold, DoesNotHold)
}

func TestRecordSurvivesItsWriting(t *testing.T) {
	s, _ := brokenDeployment(t)
	s.rec.Sightings = []sighting{{"restarts", "u", "h"}}
	s.remember()
	got, _, err := readRecord(s.snapshot[recordQuery(lab)], lab, "deployment")
	if err != nil || !got.Complete || got.Proven == nil || !got.sightings()[sighting{"restarts", "u", "h"}] {
		t.Errorf("%+v, %v", got, err)
	}
	if missing, _, err := readRecord(s.snapshot[recordQuery(lab)], lab, "bare-pod"); missing != nil || err != nil {
		t.Errorf("another scenario's record: %+v, %v", missing, err)
	}
}
