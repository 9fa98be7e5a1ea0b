package scenarios

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
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

// TestSnapshotKnowsWhatAServiceIsGiven: its address and ports are others after each reset, unless it has none at all.
func TestSnapshotKnowsWhatAServiceIsGiven(t *testing.T) {
	service := func(spec string) string {
		var o unstructured.Unstructured
		if err := yaml.Unmarshal([]byte("{kind: Service, apiVersion: v1, metadata: {name: web, namespace: default}, spec: "+spec+"}"), &o.Object); err != nil {
			t.Fatal(err)
		}
		line, err := canonical(&o)
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
	one := service(`{clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1], ports: [{port: 80, nodePort: 30001}]}`)
	if two := service(`{clusterIP: 10.96.0.2, clusterIPs: [10.96.0.2], ports: [{port: 80, nodePort: 30002}]}`); one != two {
		t.Errorf("%s\n%s", one, two)
	}
	for _, spec := range []string{`{clusterIP: None, clusterIPs: [None], ports: [{port: 80}]}`, `{clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1], ports: [{port: 81, nodePort: 30001}]}`} {
		if other := service(spec); one == other {
			t.Errorf("another Service is taken for the same: %s", other)
		}
	}
}

// The taints that repeat a node's conditions come and go after them; those that somebody has set are compared.
func TestTaintsOfConditionsAreNotCompared(t *testing.T) {
	line := func(taints string) string {
		text, err := canonical(object(t, `{kind: Node, apiVersion: v1, metadata: {name: worker}, spec: {podCIDR: 10.244.1.0/24`+taints+`}}`))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	well := line("")
	if lost := line(`, taints: [{key: node.kubernetes.io/unreachable, effect: NoExecute, timeAdded: "2026-03-01T12:00:00Z"}]`); lost != well {
		t.Errorf("a node that is lost is %s, was %s", lost, well)
	}
	if set := line(`, taints: [{key: dedicated, value: batch, effect: NoSchedule}]`); set == well {
		t.Errorf("a taint that somebody has set is not seen: %s", set)
	}
}

// An empty record is a trace of the one scenario that is looked at, and nobody's where others are at work: the last of them
// may be about to remove it.
func TestAnEmptyRecordIsATraceOfOne(t *testing.T) {
	record := object(t, `{kind: ConfigMap, apiVersion: v1, metadata: {name: `+recordName(lab)+`, namespace: `+recordNamespace+`}}`)
	if unremarkable(record, lab, false) || !unremarkable(record, lab, true) {
		t.Error("an empty record is to be seen by one alone")
	}
	record.Object["data"] = map[string]any{"crashloop": "{}"}
	if !unremarkable(record, lab, false) {
		t.Error("a record with entries differs from one seeding to the next")
	}
}
