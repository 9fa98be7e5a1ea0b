package kube_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/kube/kubetest"
)

var marks = kube.Ownership{Lab: "day10", Scenario: "imagepull"}

func pod(name string, labels map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{"name": name, "namespace": "default", "labels": labels},
		"spec":     map[string]any{"containers": []any{map[string]any{"name": "c", "image": "nginx"}}},
	}}
}

func ours() map[string]any {
	return map[string]any{kube.LabelLab: marks.Lab, kube.LabelScenario: marks.Scenario}
}

func connect(t *testing.T, s *kubetest.Server) *kube.Client {
	t.Helper()
	c, err := kube.New(s.Config(), kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestCreateMarksAndRefusesForeign(t *testing.T) {
	s := kubetest.New(t)
	c := connect(t, s)
	live, created, err := c.Create(t.Context(), pod("a", nil), marks)
	if err != nil || !created {
		t.Fatalf("creating: %v, created %v", err, created)
	}
	if !marks.On(live.GetLabels()) {
		t.Errorf("labels %v lack the marks", live.GetLabels())
	}
	again, created, err := c.Create(t.Context(), pod("a", nil), marks)
	if err != nil || created || again.GetUID() != live.GetUID() {
		t.Errorf("creating again: %v, created %v, uid %s, want the same object", err, created, again.GetUID())
	}

	foreign := s.Put("pods", pod("b", map[string]any{"app": "mine"}))
	if _, _, err = c.Create(t.Context(), pod("b", nil), marks); clierr.ClassOf(err) != clierr.Refused || clierr.NextOf(err) == "" {
		t.Errorf("over a foreign pod: %v, want a refusal with a cure", err)
	}
	if now := s.Get("pods", "default", "b"); now.GetResourceVersion() != foreign.GetResourceVersion() {
		t.Error("the foreign pod was changed")
	}
}

func TestCreateMarksTheTemplate(t *testing.T) {
	s := kubetest.New(t)
	deployment := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"name": "web"},
		"spec":     map[string]any{"replicas": int64(1), "template": map[string]any{"metadata": map[string]any{"labels": map[string]any{"app": "web"}}}},
	}}
	c := connect(t, s)
	for range 2 {
		live, _, err := c.Create(t.Context(), deployment, marks)
		if err != nil {
			t.Fatal(err)
		}
		labels, _, _ := unstructured.NestedStringMap(live.Object, "spec", "template", "metadata", "labels")
		if !marks.On(labels) || labels["app"] != "web" {
			t.Errorf("template labels %v", labels)
		}
		if live.GetNamespace() != "default" {
			t.Errorf("namespace %q, want default", live.GetNamespace())
		}
	}
}

func TestHookSeesEveryRequest(t *testing.T) {
	s := kubetest.New(t)
	var seen []string
	c, err := kube.New(s.Config(), kube.Options{OnRequest: func(r *http.Request) { seen = append(seen, r.Method+" "+r.URL.Path) }})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Create(t.Context(), pod("a", nil), marks); err != nil {
		t.Fatal(err)
	}
	if want := "POST /api/v1/namespaces/default/pods"; len(seen) != 1 || seen[0] != want {
		t.Errorf("hook saw %q, want %q", seen, want)
	}
}

func TestServerNowFollowsTheServersClock(t *testing.T) {
	s := kubetest.New(t)
	s.Ahead = -90 * time.Minute
	c := connect(t, s)
	if d := time.Until(c.ServerNow()).Abs(); d > time.Second {
		t.Errorf("before the first answer it is %s off the local clock", d)
	}
	if err := c.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	behind := -time.Until(c.ServerNow()) - 90*time.Minute
	// The Date header is cut to seconds: late by up to one, never early.
	if behind < -50*time.Millisecond || behind > 1100*time.Millisecond {
		t.Errorf("ServerNow is %s late", behind)
	}
}

func TestWaitAPIOutlastsAStart(t *testing.T) {
	s := kubetest.New(t)
	tries, watched := 0, make(chan struct{})
	saw := sync.OnceFunc(func() { close(watched) }) // that there is none
	s.Fail(func(r *http.Request) (int, string) {
		tries++
		if r.URL.Query().Get("watch") != "" {
			saw()
		}
		switch {
		case tries < 4:
			return 503, "etcd is not there yet"
		case tries < 6 && r.URL.Path != "/readyz":
			return 403, "the user's rights are not bound yet"
		}
		return 0, ""
	})
	account := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"name": "default", "namespace": "default"},
	}}
	c := connect(t, s)
	done := make(chan error, 1)
	go func() { done <- c.WaitAPI(within(t, 10*time.Second)) }()
	select {
	case err := <-done:
		t.Fatalf("WaitAPI returned %v before the service account was there", err)
	case <-watched:
	}
	s.Put("serviceaccounts", account)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestWaitReadySaysWhatItSawLast(t *testing.T) {
	s := kubetest.New(t)
	s.Put("nodes", node("lab-control-plane", "True", "ready"))
	s.Put("nodes", node("lab-worker", "False", "cni plugin not initialized"))
	err := connect(t, s).WaitReady(within(t, 300*time.Millisecond), 3)
	if clierr.ClassOf(err) != clierr.Failed {
		t.Fatalf("err %v", err)
	}
	for _, want := range []string{"1 of 3 nodes Ready", "lab-worker: cni plugin not initialized", "no deployment coredns"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestWaitReadyReturnsWhenAllIsReady(t *testing.T) {
	s := kubetest.New(t)
	done := make(chan error, 1)
	go func() { done <- connect(t, s).WaitReady(within(t, 10*time.Second), 1) }()
	s.Put("nodes", node("lab-control-plane", "True", "ready"))
	s.Put("deployments", &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"name": "coredns", "namespace": "kube-system"},
		"status":   map[string]any{"conditions": []any{map[string]any{"type": "Available", "status": "True"}}},
	}})
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func node(name, ready, message string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Node", "metadata": map[string]any{"name": name},
		"status": map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": ready, "message": message}}},
	}}
}

func TestDeleteAllLeavesOthersAlone(t *testing.T) {
	s := kubetest.New(t)
	s.Put("pods", pod("ours-1", ours()))
	s.Put("pods", pod("ours-2", ours()))
	other := ours()
	other[kube.LabelScenario] = "crashloop"
	s.Put("pods", pod("of-another-scenario", other))
	s.Put("pods", pod("foreign", nil))
	c := connect(t, s)
	for range 2 {
		queries := []kube.Query{{Kind: "Pod", Selector: marks.Selector()}, {Kind: "Deployment", Selector: marks.Selector()}}
		if err := c.DeleteAll(within(t, 5*time.Second), queries, func(o *unstructured.Unstructured) bool { return marks.On(o.GetLabels()) }); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]bool{"ours-1": false, "ours-2": false, "of-another-scenario": true, "foreign": true} {
		if is := s.Get("pods", "default", name) != nil; is != want {
			t.Errorf("pod %s is there: %v, want %v", name, is, want)
		}
	}
}

func TestUnknownKindIsSaid(t *testing.T) {
	_, err := connect(t, kubetest.New(t)).List(t.Context(), kube.Query{Kind: "Gadget"})
	if err == nil || !strings.Contains(err.Error(), `no kind "Gadget"`) {
		t.Errorf("err %v", err)
	}
}

// A pod that is removed while its ReplicaSet stands is made again, perhaps after everybody has looked.
func TestDeleteAllRemovesWhoMakesBeforeWhatIsMade(t *testing.T) {
	s := kubetest.New(t)
	set := s.Put("replicasets", &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": map[string]any{"name": "web-1", "namespace": "default", "labels": ours()},
	}})
	made := pod("web-1-a", ours())
	made.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web-1", UID: set.GetUID(), Controller: new(true)}})
	s.Put("pods", made)
	c := connect(t, s)
	queries := []kube.Query{{Kind: "Pod", Selector: marks.Selector()}, {Kind: "ReplicaSet.apps", Selector: marks.Selector()}}
	if err := c.DeleteAll(within(t, 10*time.Second), queries, func(o *unstructured.Unstructured) bool { return marks.On(o.GetLabels()) }); err != nil {
		t.Fatal(err)
	}
	want := []string{"DELETE /apis/apps/v1/namespaces/default/replicasets/web-1", "DELETE /api/v1/namespaces/default/pods/web-1-a"}
	if got := s.Calls(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
