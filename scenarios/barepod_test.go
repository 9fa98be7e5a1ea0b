package scenarios

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func brokenPod(t testing.TB) *stage {
	s := newStage(t, "bare-pod")
	s.seed(barePod(t, "nginx:99999", "Pending", waiting("ErrImagePull", notFound), false))
	s.prove(true)
	return s
}

func TestBarePodAsItGoes(t *testing.T) {
	s := newStage(t, "bare-pod")
	s.expect("untouched", Pristine, DoesNotHold, DoesNotHold)

	s.seed(barePod(t, "nginx:99999", "Pending", `{waiting: {reason: ContainerCreating}}`, false))
	s.expect("just made", Seeding, DoesNotHold, DoesNotHold)

	for _, c := range []struct {
		reason, message string
		state           State
		check, verify   Verdict
	}{
		{"ErrImagePull", notFound, Broken, DoesNotHold, Holds},
		{"ImagePullBackOff", `Back-off pulling image "nginx:99999": ErrImagePull: ` + notFound, Broken, DoesNotHold, Holds},
		{"ErrImagePull", limited, Seeding, Inconclusive, Inconclusive},
		{"ErrImagePull", noDNS, Seeding, Inconclusive, Inconclusive},
	} {
		s.seed(barePod(t, "nginx:99999", "Pending", waiting(c.reason, c.message), false))
		s.prove(c.state == Broken)
		s.expect(c.reason+": "+c.message, c.state, c.check, c.verify)
	}
}

func TestBarePodSolvedInPlace(t *testing.T) {
	s := brokenPod(t)
	s.expect("broken", Broken, DoesNotHold, Holds)

	edited := barePod(t, "nginx:1.25", "Pending", waiting("ErrImagePull", notFound), false)
	edited.SetGeneration(2)
	s.put(edited)
	s.expect("edited, not yet observed", Unknown, Inconclusive, Inconclusive)

	s.put(barePod(t, "nginx:1.25", "Running", running(time.Second), true))
	s.expect("runs for a second", Changed, DoesNotHold, DoesNotHold)
	if left := s.assess().pending(); left != 2*time.Second {
		t.Errorf("has to hold for %s more, want 2s", left)
	}
	s.put(barePod(t, "nginx:1.25", "Running", running(3*time.Second), true))
	s.expect("has held", Solved, Holds, Holds)
	s.put(barePod(t, "nginx:1.25", "Running", running(3*time.Second), false))
	s.expect("not ready", Changed, DoesNotHold, DoesNotHold)
}

func TestBarePodWrongFixes(t *testing.T) {
	s := brokenPod(t)
	s.put(barePod(t, "registry.k8s.io/pause:3.10", "Running", running(time.Hour), true))
	s.expect("another program", Changed, DoesNotHold, DoesNotHold)

	s = brokenPod(t)
	s.put(barePod(t, "nginx:99998", "Pending", waiting("ErrImagePull", strings.ReplaceAll(notFound, "99999", "99998")), false))
	s.expect("another typo", Broken, DoesNotHold, Holds)

	s = brokenPod(t)
	s.clear("Pod", "imagepull")
	s.expect("deleted", OriginalGone, DoesNotHold, DoesNotHold)
	replaced := barePod(t, "nginx:1.25", "Running", running(time.Hour), true)
	replaced.SetUID("another")
	s.put(replaced)
	s.expect("made anew", OriginalGone, DoesNotHold, DoesNotHold)
	if next := s.sc.checked(s.assess()).Next; !strings.Contains(next, "labctl reset bare-pod") {
		t.Errorf("what to type next is %q", next)
	}

	s = brokenPod(t)
	going := barePod(t, "nginx:1.25", "Running", running(time.Hour), true)
	_ = unstructured.SetNestedField(going.Object, ago(time.Second), "metadata", "deletionTimestamp")
	s.put(going)
	s.expect("mended, but being deleted", OriginalGone, DoesNotHold, DoesNotHold)
}

func TestStaleNodeIsNeitherPassNorFail(t *testing.T) {
	for name, node := range map[string]string{
		"kubelet gone": `{kind: Node, apiVersion: v1, metadata: {name: worker}, status: {conditions: [{type: Ready, status: Unknown, message: Kubelet stopped posting node status.}]}}`,
		"no status":    `{kind: Node, apiVersion: v1, metadata: {name: worker}}`,
	} {
		s := brokenPod(t)
		s.put(object(t, node))
		s.expect(name+", broken", Unknown, Inconclusive, Inconclusive)
		s.put(barePod(t, "nginx:1.25", "Running", running(time.Hour), true))
		s.expect(name+", mended", Unknown, Inconclusive, Inconclusive)
	}
	s := brokenPod(t)
	s.clear("Node", "worker")
	s.expect("node removed", Unknown, Inconclusive, Inconclusive)
}

func TestUnreachableIsNeitherPassNorFail(t *testing.T) {
	for q := range brokenPod(t).snapshot {
		s := brokenPod(t)
		u := s.snapshot[q]
		u.Err = fmt.Errorf("connection refused")
		u.Synced = false
		s.snapshot[q] = u
		a := s.assess()
		if v := s.sc.verified(a); q != nodesQuery && v.Verdict == DoesNotHold {
			t.Errorf("without an answer on %s verify says %s: %s", q, v.Verdict, v.Reason)
		}
		if c := s.sc.checked(a); c.Verdict == Holds {
			t.Errorf("without an answer on %s check says %s: %s", q, c.Verdict, c.Reason)
		}
	}
}

// While the kubelet backs off the message comes and goes; what was proven of this pod stays.
func TestSightingOutlivesFlappingOnly(t *testing.T) {
	learned := sightings{}
	s := brokenPod(t)
	s.sc.assess(s.snapshot, noon, learned)
	a := s.sc.assess(s.snapshot, noon, learned)
	for l := range a.learned {
		s.rec.Sightings = append(s.rec.Sightings, l)
	}
	if len(s.rec.Sightings) != 1 {
		t.Fatalf("learned %v, want one sighting", s.rec.Sightings)
	}
	s.remember()
	terse := waiting("ImagePullBackOff", `Back-off pulling image "nginx:99999"`)

	s.put(barePod(t, "nginx:99999", "Pending", terse, false))
	s.expect("no cause given", Broken, DoesNotHold, Holds)
	if f := s.assess().Symptom[0]; !f.Objects[0].Sticky {
		t.Error("the finding does not say that it is sticky")
	}
	s.put(barePod(t, "nginx:99999", "Pending", waiting("ErrImagePull", noDNS), false))
	s.expect("the network fails now, but not-found was proven", Broken, Inconclusive, Holds)

	s.put(barePod(t, "nginx:99998", "Pending", terse, false))
	s.expect("another image: the sighting is void", Changed, DoesNotHold, DoesNotHold)
	other := barePod(t, "nginx:99999", "Pending", terse, false)
	other.SetUID("another")
	s.put(other)
	if f := s.assess().Symptom[0]; f.Verdict != DoesNotHold {
		t.Errorf("another pod inherits the sighting: %s", f.Verdict)
	}
}

func TestLostRecordIsAdoptedNotReseeded(t *testing.T) {
	s := brokenPod(t)
	s.clear("ConfigMap", recordName(lab))
	s.expect("broken", Broken, DoesNotHold, Holds)
	marked := func(image, phase, state string, ready bool) *unstructured.Unstructured {
		o := barePod(t, image, phase, state, ready)
		o.SetLabels(map[string]string{"labctl/lab": lab, "labctl/scenario": "bare-pod"})
		return o
	}
	s.put(marked("nginx:99999", "Pending", `{waiting: {reason: ContainerCreating}}`, false))
	s.expect("nothing shows yet", Seeding, DoesNotHold, DoesNotHold)
	v := s.sc.verified(s.assess())
	if !strings.Contains(v.Reason, "is lost") || v.Next != "Run `labctl reset bare-pod` to seed it anew." {
		t.Errorf("%s\n%s", v.Reason, v.Next)
	}
	edited := marked("nginx:1.24", "Pending", `{waiting: {reason: ContainerCreating}}`, false)
	edited.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: "kubectl-edit", FieldsV1: &metav1.FieldsV1{Raw: []byte(`{"f:spec":{}}`)}}})
	s.put(edited)
	s.expect("worked on", Changed, DoesNotHold, DoesNotHold)
	s.put(marked("nginx:1.25", "Running", running(time.Hour), true))
	s.expect("mended", Solved, Holds, Holds)
}

func TestNewerRecordIsRefused(t *testing.T) {
	s := brokenPod(t)
	s.rec.Version = recordVersion + 1
	s.remember()
	s.expect("newer", Unknown, Inconclusive, Inconclusive)
}
