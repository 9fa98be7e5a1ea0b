package scenarios

import (
	"slices"
	"strings"
	"testing"
)

// TestSnapshot sees what is in no namespace, and not what differs between two seedings of the same thing.
func TestSnapshot(t *testing.T) {
	b := newBench(t, "bare-pod")
	take := func() []string {
		t.Helper()
		lines, err := Snapshot(t.Context(), b.client, lab)
		if err != nil {
			t.Fatal(err)
		}
		return lines
	}
	before := take()
	high := b.put("priorityclasses", `{kind: PriorityClass, apiVersion: scheduling.k8s.io/v1, metadata: {name: high}, value: 1000}`)
	if with := take(); len(with) != len(before)+1 || !strings.Contains(strings.Join(with, "\n"), "priorityclass/high") {
		t.Errorf("a class that a learner has made is not seen: %v", with)
	}
	b.Remove("priorityclasses", high)
	if after := take(); !slices.Equal(before, after) {
		t.Errorf("before %v, after %v", before, after)
	}

	claim := `{kind: PersistentVolumeClaim, apiVersion: v1, metadata: {name: data-db-0, namespace: default, uid: %s}, spec: {volumeName: pvc-%s, storageClassName: standard}, status: {phase: Bound}}`
	one, err := canonical(object(t, strings.ReplaceAll(claim, "%s", "a")))
	if err != nil {
		t.Fatal(err)
	}
	if other, err := canonical(object(t, strings.ReplaceAll(claim, "%s", "b"))); err != nil || one != other {
		t.Errorf("%v; the same claim reads\n%s\nand\n%s", err, one, other)
	}
}
