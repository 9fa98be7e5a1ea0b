package kind

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/labfile"
)

func nodes(roles ...string) []labfile.Node {
	var all []labfile.Node
	for _, r := range roles {
		all = append(all, labfile.Node{Role: r})
	}
	return all
}

func TestNodeNamesAreKinds(t *testing.T) {
	c := &Cluster{Spec: &labfile.Cluster{Name: "c", Nodes: nodes("control-plane", "worker", "worker", "worker")}}
	want := []string{"c-control-plane", "c-worker", "c-worker2", "c-worker3"}
	if got := c.NodeNames(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestVersionsFitAndCompare(t *testing.T) {
	for _, c := range []struct {
		version, wanted string
		fits            bool
	}{{"1.35.4", "1.35", true}, {"1.35.4", "1.35.4", true}, {"1.35.4", "1.3", false}, {"1.35.40", "1.35.4", false}, {"", "1.35", false}} {
		if got := fits(c.version, c.wanted); got != c.fits {
			t.Errorf("%s fits %s: %t", c.version, c.wanted, got)
		}
	}
	for _, c := range []struct {
		a, b  string
		newer bool
	}{{"1.35.10", "1.35.9", true}, {"1.35.9", "1.35.10", false}, {"1.36.0", "1.35.99", true}, {"1.35", "1.35.0", false}} {
		if got := newer(c.a, c.b); got != c.newer {
			t.Errorf("%s newer than %s: %t", c.a, c.b, got)
		}
	}
}

func TestKubeletOnOldCgroups(t *testing.T) {
	for _, c := range []struct {
		cgroup, kubernetes string
		patched            bool
	}{{"1", "1.35.4", true}, {"1", "1.35", true}, {"1", "1.36.0", true}, {"1", "1.34.11", false}, {"2", "1.35.4", false}} {
		spec := &labfile.Cluster{Name: "c", Nodes: nodes("control-plane")}
		config, err := kindConfig(spec, 0, c.cgroup, c.kubernetes, "image")
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Contains(strings.Join(config.KubeadmConfigPatches, ""), `"failCgroupV1":false`)
		if got != c.patched {
			t.Errorf("cgroup v%s, Kubernetes %s: patched %t", c.cgroup, c.kubernetes, got)
		}
	}
}

func TestKubeletSettingsAreTheLabs(t *testing.T) {
	spec := &labfile.Cluster{Name: "c", Nodes: nodes("control-plane"), Kubelet: map[string]any{"failCgroupV1": true, "maxPods": 20}}
	config, err := kindConfig(spec, 6443, "1", "1.35.4", "image")
	if err != nil {
		t.Fatal(err)
	}
	var patch map[string]any
	if err := json.Unmarshal([]byte(config.KubeadmConfigPatches[0]), &patch); err != nil {
		t.Fatal(err)
	}
	if patch["kind"] != "KubeletConfiguration" || patch["maxPods"] != 20.0 || patch["failCgroupV1"] != true {
		t.Errorf("got %v", patch)
	}
	if config.Networking.APIServerAddress != "127.0.0.1" || config.Networking.APIServerPort != 6443 {
		t.Errorf("the API server listens on %s:%d", config.Networking.APIServerAddress, config.Networking.APIServerPort)
	}
	if len(spec.Kubelet) != 2 {
		t.Error("the lab's own settings were changed")
	}
}

func TestWhatIsMissingAndStopped(t *testing.T) {
	seen := condition{containers: []docker.Container{{Name: "a", State: "running"}, {Name: "b", State: "exited"}}}
	seen.note([]string{"a", "b", "c"})
	if !slices.Equal(seen.missing, []string{"c"}) || len(seen.stopped) != 1 || seen.stopped[0].Name != "b" {
		t.Errorf("missing %q, stopped %v", seen.missing, seen.stopped)
	}
}

func object(t *testing.T, raw string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(raw), &o.Object); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestOnlyNewsIsFresh(t *testing.T) {
	start := time.Date(2026, 11, 1, 12, 0, 0, 500, time.UTC)
	started := map[string]time.Time{"n": start}
	lease := func(at time.Time) []*unstructured.Unstructured {
		return []*unstructured.Unstructured{object(t, `{"metadata":{"name":"n"},"spec":{"renewTime":"`+at.Format(time.RFC3339Nano)+`"}}`)}
	}
	if got := staleNodes(lease(start.Add(-time.Second)), started); len(got) != 1 {
		t.Error("a lease from before the start is news")
	}
	if got := staleNodes(nil, started); len(got) != 1 {
		t.Error("no lease is news")
	}
	if got := staleNodes(lease(start.Add(time.Second)), started); len(got) != 0 {
		t.Errorf("a lease from after the start is stale: %q", got)
	}
	pod := func(node string, at time.Time) []*unstructured.Unstructured {
		return []*unstructured.Unstructured{object(t, `{"metadata":{"namespace":"default","name":"p"},"spec":{"nodeName":"`+node+`"},
			"status":{"containerStatuses":[{"state":{"waiting":{}}},{"state":{"running":{"startedAt":"`+at.Format(time.RFC3339)+`"}}}]}}`)}
	}
	if got := stalePods(pod("n", start.Add(-time.Minute)), started); !slices.Equal(got, []string{"pod default/p"}) {
		t.Errorf("a pod that runs since before its node's start: %q", got)
	}
	if got := stalePods(append(pod("n", start), pod("other", start.Add(-time.Hour))...), started); len(got) != 0 {
		t.Errorf("stale: %q", got)
	}
}

func TestKubeadmIsPatchedWhereItTakesIt(t *testing.T) {
	for kubernetes, kept := range map[string]bool{"1.35": true, "1.35.4": true, "1.34.11": true, "1.36": false, "1.36.4": false, "1.37.0": false} {
		config, err := kindConfig(&labfile.Cluster{Name: "c", Nodes: nodes("control-plane")}, 0, "2", kubernetes, "image")
		if err != nil {
			t.Fatal(err)
		}
		all := strings.Join(config.KubeadmConfigPatches, "\n")
		for _, argument := range []string{`"kube-api-qps":"200"`, `"scheduler":{"extraArgs":{"leader-elect":"false"}}`} {
			if got := strings.Contains(all, argument); got != kept {
				t.Errorf("Kubernetes %s, %s: %t in\n%s", kubernetes, argument, got, all)
			}
		}
		for _, kind := range []string{"InitConfiguration", "JoinConfiguration"} {
			if got := strings.Contains(all, `{"kind":"`+kind+`","nodeRegistration":{"kubeletExtraArgs":{"maximum-dead-containers-per-container":"2"}}}`); got != kept {
				t.Errorf("Kubernetes %s, %s: %t in\n%s", kubernetes, kind, got, all)
			}
		}
	}
}
