package scenarios

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/provision"
)

// Whatever becomes of a scenario, what the rest of labctl is told of it agrees with the words: current
// and a yes go together, and a no says what to do.
func TestTheAnswerIsOneValue(t *testing.T) {
	states := map[string]func() *assessment{
		"broken":        func() *assessment { return brokenPod(t).assess() },
		"record lost":   func() *assessment { s := brokenPod(t); s.clear("ConfigMap", recordName(lab)); return s.assess() },
		"not proven":    func() *assessment { s := brokenPod(t); s.prove(false); return s.assess() },
		"pristine":      func() *assessment { return newStage(t, "bare-pod").assess() },
		"reset cut":     func() *assessment { s := brokenPod(t); s.rec.Removing = true; s.remember(); return s.assess() },
		"deleted":       func() *assessment { s := brokenPod(t); s.clear("Pod", "imagepull"); return s.assess() },
		"newer labctl":  func() *assessment { s := brokenPod(t); s.rec.Version = 99; s.remember(); return s.assess() },
		"solved":        func() *assessment { return mended(t, "Running", running(time.Hour), true).assess() },
		"nearly solved": func() *assessment { return mended(t, "Running", running(time.Second), true).assess() },
		"worked on": func() *assessment {
			return mended(t, "Pending", `{waiting: {reason: ContainerCreating}}`, false).assess()
		},
		"rate limit": func() *assessment {
			s := newStage(t, "bare-pod")
			s.seed(barePod(t, "nginx:99999", "Pending", waiting("ErrImagePull", limited), false))
			return s.assess()
		},
		"stale": func() *assessment { s := brokenPod(t); s.clear("Node", "worker"); return s.assess() },
	}
	sc := newStage(t, "bare-pod").sc
	seen := map[Verdict]bool{}
	for when, assess := range states {
		a := assess()
		v := sc.verified(a)
		o, err := v.observation(sc.unrecorded(a))
		answer := provision.Observed{Observation: o, Err: err}.Answer()
		seen[v.Verdict] = true
		if answer.Verdict != v.Verdict || answer.Reason != v.Reason || answer.Next != v.Next {
			t.Errorf("%s: verify says %+v, and the rest of labctl is told %+v", when, v.Answer, answer)
		}
		if (o.State == provision.Current) != (v.Verdict == Holds) {
			t.Errorf("%s: %s, and the answer is %s", when, o.State, v.Verdict)
		}
		class := map[Verdict]clierr.Class{DoesNotHold: clierr.NotHolding, Inconclusive: clierr.Inconclusive}
		if err := answer.Err("x"); v.Verdict == Holds && err != nil || v.Verdict != Holds && (clierr.ClassOf(err) != class[v.Verdict] || clierr.NextOf(err) == "") {
			t.Errorf("%s: %v, next %q", when, err, clierr.NextOf(err))
		}
		for _, good := range []string{"broken as declared:", "solved:"} {
			if strings.HasPrefix(v.Reason, good) != (v.Verdict == Holds) && strings.HasPrefix(v.Reason, good) {
				t.Errorf("%s: %s, in the words of a yes: %s", when, v.Verdict, v.Reason)
			}
		}
	}
	if len(seen) != 3 {
		t.Errorf("only these answers came: %v", seen)
	}
}

// mended is imagepull after its image was edited.
func mended(t *testing.T, phase, state string, ready bool) *stage {
	s := brokenPod(t)
	s.put(barePod(t, "nginx:1.25", phase, state, ready))
	return s
}

// What check says first are words; it gives neither an expression nor a guard away that only matters once
// the learner has done something.
func TestWordsBeforeEvidence(t *testing.T) {
	named := func(r Result) (names []string) {
		for _, f := range r.Points() {
			names = append(names, f.Name+" "+string(f.Verdict))
		}
		return names
	}
	s := brokenPod(t)
	r := s.sc.checked(s.assess())
	if got := named(r); !slices.Equal(got, []string{"running does-not-hold"}) || r.Reason != "still broken" {
		t.Errorf("broken: %s, %q", r.Reason, got)
	}
	if r.Debrief != "" || r.Summary == "" {
		t.Error("the debrief is told before it is over, or there is no summary")
	}

	crash, d := brokenDeployment(t)
	d = d.DeepCopy()
	d.Object["spec"].(map[string]any)["replicas"] = int64(0)
	d.Object["status"] = map[string]any{"observedGeneration": int64(1), "replicas": int64(0), "updatedReplicas": int64(0), "availableReplicas": int64(0)}
	crash.put(d)
	crash.clear("Pod", "crashloop-1")
	r = crash.sc.checked(crash.assess())
	if got := named(r); !slices.Equal(got, []string{"ready does-not-hold", "rolled-out holds", "has-replicas does-not-hold"}) || r.Reason != "not solved yet" {
		t.Errorf("scaled to none: %s, %q", r.Reason, got)
	}
	for _, result := range []Result{r, crash.sc.verified(crash.assess())} {
		for _, f := range result.Points() {
			result.Reason += " " + f.Words()
		}
		if strings.Contains(result.Reason, "self.") || strings.Contains(result.Reason, "is needed") {
			t.Errorf("an expression among the words: %s", result.Reason)
		}
		for _, line := range result.Evidence() {
			if !strings.Contains(line, "is needed") && !strings.Contains(line, "there is no pod") {
				t.Errorf("evidence of something that does not fail: %s", line)
			}
		}
	}

	done := mended(t, "Running", running(time.Hour), true)
	if r := done.sc.checked(done.assess()); !strings.Contains(r.Debrief, "The container never started") || len(r.Evidence()) == 0 {
		t.Errorf("solved, and no debrief or nothing that it rests on: %+v", r)
	}
	if r := done.sc.verified(done.assess()); r.Debrief != "" {
		t.Error("verify tells the debrief")
	}
}
