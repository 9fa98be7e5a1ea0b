package scenarios

import (
	"os"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/labfile"
)

const deploymentRepaired = "testdata/deployment/recordings/repaired.ndjson"

// recordedPod returns the newest recorded state of a pod in this phase, as the kubelet leaves one that
// nobody deletes.
func recordedPod(t *testing.T, name, phase string) *unstructured.Unstructured {
	t.Helper()
	var found *unstructured.Unstructured
	for _, e := range recording(t, deploymentRepaired) {
		if e.Object == nil {
			continue
		}
		is, _, _ := unstructured.NestedString(e.Object.Object, "status", "phase")
		if e.Object.GetName() == name && is == phase {
			found = e.Object.DeepCopy()
		}
	}
	if found == nil {
		t.Fatalf("pod %s was never recorded as %s", name, phase)
	}
	found.SetDeletionTimestamp(nil)
	found.SetDeletionGracePeriodSeconds(nil)
	return found
}

// The kubelet keeps a pod that has failed for good (activeDeadlineSeconds, eviction, a node that was shut
// down) listed for as long as nobody deletes it. The Deployment has replaced it long ago.
func TestRightRepairBesideFailedPodsOfTheOldTime(t *testing.T) {
	s := newStage(t, "deployment")
	for _, e := range recording(t, deploymentRepaired) {
		if e.Object != nil && e.Type != "DELETED" {
			s.happen(e)
		}
	}
	proven := s.rec.Objects["Deployment/crashloop"].Time
	s.rec.Proven = &proven
	s.remember()
	for _, old := range []string{"crashloop-747678b6b4-vnz8q", "crashloop-856bf78b59-w8w27"} {
		pod := recordedPod(t, old, "Failed")
		_ = unstructured.SetNestedField(pod.Object, "DeadlineExceeded", "status", "reason")
		s.put(pod)
	}
	// One that its deadline has ended, as a real kubelet (1.35) left it.
	text, err := os.ReadFile("testdata/deployment/past-deadline.json")
	if err != nil {
		t.Fatal(err)
	}
	past := object(t, string(text))
	if !replaced(past) {
		t.Error("the recorded pod is not one that was replaced")
	}
	s.put(past)
	a := s.sc.assess(s.snapshot, recording(t, deploymentRepaired)[0].Until.Add(time.Hour), nil)
	if c := s.sc.checked(a); c.Verdict != Holds || a.State != Solved {
		t.Errorf("%s, %s: %s", a.State, c.Verdict, c.Reason)
	}
}

func conditionOn(t *testing.T, holds string) *labfile.Condition {
	t.Helper()
	expr, diags := hclsyntax.ParseExpression([]byte(holds), "test", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return &labfile.Condition{Evidence: labfile.Objects{Kind: "Pod", Selector: "app=crashloop"}, Holds: expr, HoldsSource: holds}
}

func TestWhichPodsCount(t *testing.T) {
	const name, runs = "crashloop-5db444b869-6hr9d", `self.status.phase == "Running"`
	const failed = "crashloop-747678b6b4-vnz8q"
	owned := func(pod *unstructured.Unstructured, apiVersion, kind string) *unstructured.Unstructured {
		owner := pod.GetOwnerReferences()[0]
		owner.APIVersion, owner.Kind = apiVersion, kind
		pod.SetOwnerReferences([]metav1.OwnerReference{owner})
		return pod
	}
	with := func(pod *unstructured.Unstructured, status string, value string) *unstructured.Unstructured {
		_ = unstructured.SetNestedField(pod.Object, value, "status", status)
		return pod
	}
	going := recordedPod(t, name, "Running")
	_ = unstructured.SetNestedField(going.Object, "2026-11-23T05:00:00Z", "metadata", "deletionTimestamp")
	lost := with(going.DeepCopy(), "reason", "NodeLost")
	bare := recordedPod(t, failed, "Failed")
	bare.SetOwnerReferences(nil)
	for what, row := range map[string]struct {
		pod    *unstructured.Unstructured
		holds  string
		counts bool
	}{
		"running":                            {recordedPod(t, name, "Running"), runs, true},
		"running, of an older ReplicaSet":    {recordedPod(t, failed, "Running"), runs, true},
		"failed":                             {recordedPod(t, failed, "Failed"), runs, false},
		"evicted":                            {with(recordedPod(t, failed, "Failed"), "reason", "Evicted"), runs, false},
		"evicted, asked for":                 {with(recordedPod(t, failed, "Failed"), "reason", "Evicted"), `self.status.reason == "Evicted"`, true},
		"a waiting container's reason":       {recordedPod(t, failed, "Failed"), `self.status.containerStatuses[0].state.waiting.reason == "x"`, false},
		"completed":                          {with(recordedPod(t, failed, "Failed"), "phase", "Succeeded"), runs, false},
		"of a StatefulSet":                   {owned(recordedPod(t, failed, "Failed"), "apps/v1", "StatefulSet"), runs, false},
		"of a DaemonSet":                     {owned(recordedPod(t, failed, "Failed"), "apps/v1", "DaemonSet"), runs, false},
		"of a ReplicationController":         {owned(recordedPod(t, failed, "Failed"), "v1", "ReplicationController"), runs, false},
		"of a Job":                           {owned(recordedPod(t, failed, "Failed"), "batch/v1", "Job"), runs, true},
		"of a kind that nobody knows":        {owned(recordedPod(t, failed, "Failed"), "example.com/v1", "ReplicaSet"), runs, true},
		"without a controller":               {bare, runs, true},
		"being deleted":                      {going, runs, false},
		"being deleted, asked for":           {going, `can(self.metadata.deletionTimestamp)`, true},
		"lost with its node, and so deleted": {lost, runs, false},
	} {
		for _, enough := range []bool{false, true} {
			c := conditionOn(t, row.holds)
			c.Any = enough
			if got := len(counted(c, []*unstructured.Unstructured{row.pod})) == 1; got != row.counts {
				t.Errorf("%s (match any: %v): counts %v, want %v", what, enough, got, row.counts)
			}
		}
	}
	c := conditionOn(t, runs)
	c.Evidence = labfile.Objects{Kind: "Pod", Name: failed}
	if len(counted(c, []*unstructured.Unstructured{recordedPod(t, failed, "Failed")})) != 1 {
		t.Error("a pod that is asked for by its name does not count")
	}
}
