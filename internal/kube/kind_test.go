package kube_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/kube/kubetest"
)

func of(apiVersion, kind, name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": name}}}
}

// gadgets is a definition as the API server has it when it serves the kind in two versions.
func gadgets(established bool) *unstructured.Unstructured {
	crd := of("apiextensions.k8s.io/v1", "CustomResourceDefinition", "gadgets.shop.example")
	crd.Object["spec"] = map[string]any{
		"group": "shop.example", "scope": "Cluster", "names": map[string]any{"kind": "Gadget", "plural": "gadgets"},
		"versions": []any{map[string]any{"name": "v2"}, map[string]any{"name": "v1beta1"}},
	}
	if established {
		crd.Object["status"] = map[string]any{"conditions": []any{map[string]any{"type": "Established", "status": "True"}}}
	}
	return crd
}

// TestTheManifestsVersionDecides where an object is sent, of built-in kinds and of those that a cluster was taught.
func TestTheManifestsVersionDecides(t *testing.T) {
	s := kubetest.New(t)
	s.Put("customresourcedefinitions", gadgets(true))
	c := connect(t, s)
	for _, apiVersion := range []string{"autoscaling/v1", "autoscaling/v2"} {
		live, _, err := c.Create(t.Context(), of(apiVersion, "HorizontalPodAutoscaler", "web"), marks)
		if err != nil || live.GetAPIVersion() != apiVersion {
			t.Errorf("%s: %v, %v", apiVersion, live, err)
		}
		if err := c.Delete(t.Context(), live); err != nil {
			t.Error(err)
		}
	}
	live, _, err := c.Create(t.Context(), of("shop.example/v1beta1", "Gadget", "g"), marks)
	if err != nil || live.GetNamespace() != "" {
		t.Errorf("an object of a kind without namespaces: %v, %v", live, err)
	}
	want := []string{
		"POST /apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers",
		"DELETE /apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers/web",
		"POST /apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers",
		"DELETE /apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/web",
		"POST /apis/shop.example/v1beta1/gadgets",
	}
	if got := s.Calls(); !slices.Equal(got, want) {
		t.Errorf("calls\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	s.Put("gadgets", of("shop.example/v2", "Gadget", "preferred"))
	for kind, want := range map[string]string{
		"Gadget": "preferred", "Gadget.shop.example": "preferred", "Gadget.v2.shop.example": "preferred", "Gadget.v1beta1.shop.example": "g",
	} {
		objs, err := c.List(t.Context(), kube.Query{Kind: kind, Namespace: "default"})
		if err != nil || len(objs) != 1 || objs[0].GetName() != want {
			t.Errorf("listing %s: %v, %v; want %s", kind, objs, err, want)
		}
	}
	var unknown *kube.KindError
	if _, _, err := c.Create(t.Context(), of("shop.example/v3", "Gadget", "g"), marks); !errors.As(err, &unknown) || !strings.Contains(err.Error(), "it serves shop.example/v2, shop.example/v1beta1") {
		t.Errorf("a version that is not served: %v", err)
	}
	kinds, err := c.Kinds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, k := range kinds {
		if other, twice := seen[k.Name]; twice {
			t.Errorf("%s is listed in %s and %s", k.Name, other, k.Resource.Version)
		}
		seen[k.Name] = k.Resource.Version
	}
	if seen["Gadget"] != "v2" || seen["HorizontalPodAutoscaler"] != "v2" {
		t.Errorf("kinds and versions: %v", seen)
	}
}

func TestNamesOfKinds(t *testing.T) {
	for apiVersion, want := range map[string][2]string{
		"v1":                   {"Thing", "Thing"},
		"apps/v1":              {"Thing.v1.apps", "Thing.apps"},
		"shop.example/v1beta1": {"Thing.v1beta1.shop.example", "Thing.shop.example"},
	} {
		qualified := kube.QualifiedKind(of(apiVersion, "Thing", "x"))
		if qualified != want[0] || kube.Unversioned(qualified) != want[1] || kube.Unversioned(want[1]) != want[1] {
			t.Errorf("%s: %s, %s; want %v", apiVersion, qualified, kube.Unversioned(qualified), want)
		}
	}
}

// TestKindsComeAndGo: a definition that is made, deleted and made again while its objects are watched.
func TestKindsComeAndGo(t *testing.T) {
	s := kubetest.New(t)
	c := connect(t, s)
	q := kube.Query{Kind: "Gadget"}
	seen := make(chan string, 100)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Until(ctx, []kube.Query{q}, func(w kube.Snapshot) kube.Decision {
			var unknown *kube.KindError
			switch u := w[q]; {
			case errors.As(u.Err, &unknown) && u.Synced:
				seen <- "no kind" + names(u)
			case u.Err != nil:
				seen <- u.Err.Error()
			case u.Synced:
				seen <- names(u)
			}
			return kube.Decision{}
		})
	}()
	defer func() { stop(); <-ended }()
	await := func(want string) {
		t.Helper()
		deadline := time.After(10 * time.Second)
		last := ""
		for {
			select {
			case last = <-seen:
				if last == want {
					return
				}
			case <-deadline:
				t.Fatalf("not seen: %q; last %q", want, last)
			}
		}
	}
	await("no kind")
	for range 2 {
		crd := s.Put("customresourcedefinitions", gadgets(true))
		s.Put("gadgets", of("shop.example/v2", "Gadget", "g"))
		await("g")
		other := connect(t, s) // knows the kind, and has not heard that it is gone
		if _, err := other.List(t.Context(), q); err != nil {
			t.Error(err)
		}
		s.Remove("customresourcedefinitions", crd)
		var unknown *kube.KindError
		if _, err := other.List(t.Context(), q); !errors.As(err, &unknown) {
			t.Errorf("listing without the kind: %v", err)
		}
		await("no kind")
		if _, _, err := c.Create(t.Context(), of("shop.example/v2", "Gadget", "g"), marks); err == nil || !strings.Contains(err.Error(), `no kind "Gadget.v2.shop.example"`) {
			t.Errorf("creating without the kind: %v", err)
		}
	}
}

func TestWaitDefined(t *testing.T) {
	s := kubetest.New(t)
	c := connect(t, s)
	s.Put("customresourcedefinitions", gadgets(false))
	done, watched := make(chan error, 1), make(chan struct{})
	saw := sync.OnceFunc(func() { close(watched) }) // that it is not established
	s.Fail(func(r *http.Request) (int, string) {
		if r.URL.Query().Get("watch") != "" {
			saw()
		}
		return 0, ""
	})
	go func() {
		done <- c.WaitDefined(within(t, 10*time.Second), "gadgets.shop.example", "Gadget.v1beta1.shop.example")
	}()
	select {
	case err := <-done:
		t.Fatalf("returned %v before it was established", err)
	case <-watched:
	}
	s.Put("customresourcedefinitions", gadgets(true))
	if err := <-done; err != nil {
		t.Error(err)
	}
	// What will not come is not waited for.
	if err := c.WaitDefined(within(t, 10*time.Second), "gadgets.shop.example", "Gadget.v3.shop.example"); clierr.ClassOf(err) != clierr.Failed || !strings.Contains(err.Error(), "it serves shop.example/v2") {
		t.Errorf("a version that it lacks: %v", err)
	}
	taken := gadgets(false)
	taken.Object["status"] = map[string]any{"conditions": []any{map[string]any{"type": "NamesAccepted", "status": "False", "message": `"gadgets" is already in use`}}}
	s.Put("customresourcedefinitions", taken)
	if err := c.WaitDefined(within(t, 10*time.Second), "gadgets.shop.example", "Gadget.v2.shop.example"); clierr.ClassOf(err) != clierr.Failed || !strings.Contains(err.Error(), "already in use") {
		t.Errorf("names that are taken: %v", err)
	}
	if err := c.WaitDefined(within(t, 100*time.Millisecond), "sprockets.shop.example", "Sprocket.v1.shop.example"); clierr.ClassOf(err) != clierr.Inconclusive || !strings.Contains(err.Error(), "does not exist yet") {
		t.Errorf("a definition that nobody makes: %v", err)
	}
}

// TestMarksOnAllThatIsMade: pods, jobs, claims and ephemeral volumes; but not on what only has a template's name.
func TestMarksOnAllThatIsMade(t *testing.T) {
	s := kubetest.New(t)
	s.Put("customresourcedefinitions", gadgets(true))
	c := connect(t, s)
	template := func(fields map[string]any) map[string]any {
		return map[string]any{"metadata": map[string]any{"labels": map[string]any{"app": "x"}}, "spec": fields}
	}
	cron := of("batch/v1", "CronJob", "c")
	cron.Object["spec"] = map[string]any{"jobTemplate": template(map[string]any{"template": template(map[string]any{
		"volumes": []any{map[string]any{"ephemeral": map[string]any{"volumeClaimTemplate": map[string]any{"spec": map[string]any{}}}}},
	})})}
	live, _, err := c.Create(t.Context(), cron, marks)
	if err != nil {
		t.Fatal(err)
	}
	marked := 0
	var count func(v any)
	count = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			labels, _, _ := unstructured.NestedStringMap(v, "metadata", "labels")
			if marks.On(labels) {
				marked++
			}
			for _, inner := range v {
				count(inner)
			}
		case []any:
			for _, inner := range v {
				count(inner)
			}
		}
	}
	if count(live.Object); marked != 4 {
		t.Errorf("%d places carry the marks, want those of the CronJob, the job, the pod and the claim: %v", marked, live.Object)
	}
	gadget := of("shop.example/v2", "Gadget", "g")
	gadget.Object["spec"] = map[string]any{"template": map[string]any{"password": "{{ .x }}"}}
	if live, _, err = c.Create(t.Context(), gadget, marks); err != nil {
		t.Fatal(err)
	}
	marked = 0
	if count(live.Object); marked != 1 {
		t.Errorf("%d places carry the marks, want the object's own alone: %v", marked, live.Object)
	}
}

// TestForeignWithoutNamespace: the refusal and its cure speak of no namespace where there is none.
func TestForeignWithoutNamespace(t *testing.T) {
	s := kubetest.New(t)
	s.Put("customresourcedefinitions", gadgets(true))
	_, _, err := connect(t, s).Create(t.Context(), gadgets(false), marks)
	if clierr.ClassOf(err) != clierr.Refused || strings.Contains(err.Error(), "namespace") || strings.Contains(clierr.NextOf(err), " -n ") {
		t.Errorf("%v; next: %s", err, clierr.NextOf(err))
	}
}
