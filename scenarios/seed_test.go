package scenarios

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/provision"
)

// sight is a demo that holds as soon as its seed is there; the condition's target and question are the caller's.
func sight(target string) string {
	return `scenario "sight" {
  type = "demo"
  title = "A sight"
  summary = "Something to see."
  seed { manifests = ["all.yaml"] }
  symptom {
    condition "seen" {
      says = "it is there"
      ` + target + `
    }
  }
  disturbance "one" {
    says = "One."
    run = ["true"]
  }
  disturbance "two" {
    says = "Two."
    run = ["true"]
  }
}`
}

const gadgets = `
apiVersion: shop.example/v1beta1
kind: Gadget
metadata: {name: first, namespace: shop}
spec: {size: 3}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {serviceAccountName: robot, containers: [{name: c, image: nginx}]}
---
apiVersion: v1
kind: Pod
metadata: {name: plain, namespace: shop}
spec: {containers: [{name: c, image: nginx}]}
---
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec: {maxReplicas: 2, scaleTargetRef: {kind: Deployment, name: web}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot, namespace: shop}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.shop.example}
spec:
  group: shop.example
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets}
  versions: [{name: v1}, {name: v1beta1}]
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
`

// controllers plays what establishes a definition and gives a namespace its service account, some moments after they
// were made, and removes the objects of a definition with it.
func (b *bench) controllers() {
	ctx, stop := context.WithCancel(b.t.Context())
	ended := make(chan struct{})
	b.t.Cleanup(func() { stop(); <-ended })
	queries := []kube.Query{{Kind: "CustomResourceDefinition"}, {Kind: "Namespace"}}
	go func() {
		defer close(ended)
		_ = b.client.Until(ctx, queries, func(w kube.Snapshot) kube.Decision {
			for _, crd := range w[queries[0]].Objects {
				if status, _ := kube.Status(crd, "Established"); status == "" {
					crd = crd.DeepCopy()
					crd.Object["status"] = map[string]any{"conditions": []any{map[string]any{"type": "Established", "status": "True"}}}
					time.Sleep(50 * time.Millisecond) // what the real one takes
					b.Put("customresourcedefinitions", crd)
				}
			}
			for _, ns := range w[queries[1]].Objects {
				if b.Get("serviceaccounts", ns.GetName(), "default") == nil {
					time.Sleep(50 * time.Millisecond)
					b.Put("serviceaccounts", &unstructured.Unstructured{Object: map[string]any{
						"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"name": "default", "namespace": ns.GetName()},
					}})
				}
			}
			return kube.Decision{}
		})
	}()
}

// TestPrerequisitesComeFirst: a seed's own namespace, kinds and service accounts, wherever they stand.
func TestPrerequisitesComeFirst(t *testing.T) {
	s := own(t, sight(`kind = "Gadget.v1beta1.shop.example"
      name = "first"
      namespace = "shop"
      holds = self.spec.size == seed["Gadget/first"].spec.size`), gadgets)
	b := benchOf(t, s)
	b.controllers()
	if err := b.r.Apply(t.Context(), event.Discard); err != nil {
		t.Fatal(err)
	}
	b.observe(provision.Current)
	want := []string{
		"POST /api/v1/namespaces",
		"POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions",
		"POST /api/v1/namespaces/shop/serviceaccounts",
		"POST /apis/shop.example/v1beta1/namespaces/shop/gadgets",
		"POST /api/v1/namespaces/shop/pods",
		"POST /api/v1/namespaces/shop/pods",
		"POST /apis/autoscaling/v1/namespaces/shop/horizontalpodautoscalers",
	}
	made := slices.DeleteFunc(b.Calls(), func(call string) bool {
		return !strings.HasPrefix(call, "POST") || strings.HasSuffix(call, "configmaps")
	})
	if !slices.Equal(made, want) {
		t.Errorf("made\n%s\nwant\n%s", strings.Join(made, "\n"), strings.Join(want, "\n"))
	}
	if crd := b.Get("customresourcedefinitions", "", "gadgets.shop.example"); crd == nil || crd.GetNamespace() != "" {
		t.Errorf("the definition is not as a kind without namespaces is: %v", crd)
	}
	b.quiet("a second up", func() {
		if err := b.r.Apply(t.Context(), event.Discard); err != nil {
			t.Error(err)
		}
	})
	if err := b.r.Destroy(t.Context(), event.Discard); err != nil {
		t.Fatal(err)
	}
	for resource, name := range map[string]string{"gadgets": "first", "pods": "web", "horizontalpodautoscalers": "web"} {
		if b.Get(resource, "shop", name) != nil {
			t.Errorf("%s/%s is left", resource, name)
		}
	}
	if b.Get("namespaces", "", "shop") != nil || b.Get("customresourcedefinitions", "", "gadgets.shop.example") != nil {
		t.Error("the namespace or the definition is left")
	}
}

// TestWhatNobodyMakesIsSaidAtOnce: all of it together, and before anything is made.
func TestWhatNobodyMakesIsSaidAtOnce(t *testing.T) {
	s := own(t, sight(`kind = "Pod"
      name = "web"
      holds = true`), `
{apiVersion: v1, kind: ConfigMap, metadata: {name: fine}}
---
{apiVersion: example.com/v1, kind: Sprocket, metadata: {name: a}}
---
{apiVersion: autoscaling/v3, kind: HorizontalPodAutoscaler, metadata: {name: b}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: nowhere}}
---
{apiVersion: v1, kind: Pod, metadata: {name: d}, spec: {serviceAccountName: nobody}}
`)
	b := benchOf(t, s)
	b.quiet("seeding what cannot be made", func() {
		began := time.Now()
		err := b.r.Apply(t.Context(), event.Discard)
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it took %s", took)
		}
		if clierr.ClassOf(err) != clierr.Refused || clierr.NextOf(err) == "" {
			t.Errorf("%v is no refusal with a cure", err)
		}
		for _, want := range []string{
			`sprocket/a cannot be made: the cluster has no kind "Sprocket.v1.example.com"`,
			`horizontalpodautoscaler/b cannot be made: the cluster has no kind "HorizontalPodAutoscaler.v3.autoscaling": it serves autoscaling/v2, autoscaling/v1`,
			`configmap/c cannot be made: there is no namespace/nowhere`,
			`pod/d cannot be made: there is no serviceaccount/nobody in namespace default`,
		} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v\ndoes not say %q", err, want)
			}
		}
	})
}

// TestRefusedAtTheDoor: what the cluster does not let in is said at once; what passes by itself is tried again.
func TestRefusedAtTheDoor(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		message string
		passes  bool
	}{
		"pod security":    {403, `pods "imagepull" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true`, false},
		"quota":           {403, `pods "imagepull" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1`, false},
		"priority":        {403, `pods "imagepull" is forbidden: no PriorityClass with name high was found`, false},
		"webhook":         {400, `admission webhook "no.example.com" denied the request: not on a Friday`, false},
		"policy":          {422, `pods "imagepull" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no`, false},
		"service account": {403, `pods "imagepull" is forbidden: error looking up service account default/default: serviceaccount "default" not found`, true},
		"quota's count":   {403, `pods "imagepull" is forbidden: status unknown for quota: small, resources: pods`, true},
		"rights":          {403, `pods is forbidden: User "kubernetes-admin" cannot create resource "pods" in API group "" in the namespace "default"`, true},
		"webhook's start": {500, `Internal error occurred: failed calling webhook "no.example.com": connect: connection refused`, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "bare-pod")
			tries := 0
			b.Fail(func(r *http.Request) (int, string) {
				if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/pods") {
					if tries++; tries < 3 {
						return c.status, c.message
					}
				}
				return 0, ""
			})
			if c.passes {
				b.up()
				return
			}
			err := b.r.Apply(t.Context(), event.Discard)
			if tries != 1 || clierr.ClassOf(err) != clierr.Failed || clierr.NextOf(err) == "" ||
				!strings.Contains(err.Error(), "the cluster does not let pod/imagepull in: ") || !strings.Contains(err.Error(), c.message) {
				t.Errorf("after %d tries: %v", tries, err)
			}
			// It can be taken back, and tried again when the way is free.
			if err := b.r.Destroy(t.Context(), event.Discard); err != nil {
				t.Fatal(err)
			}
			b.gone()
		})
	}
}

// TestOwnKindThatWillNotCome: a version that the seed's own definition lacks is not waited for.
func TestOwnKindThatWillNotCome(t *testing.T) {
	b := benchOf(t, own(t, sight(`kind = "Pod"
      name = "web"
      holds = true`), strings.Replace(gadgets, "shop.example/v1beta1", "shop.example/v7", 1)))
	b.controllers()
	began := time.Now()
	err := b.r.Apply(t.Context(), event.Discard)
	if took := time.Since(began); took > 5*time.Second || err == nil || !strings.Contains(err.Error(), "it serves shop.example/v1, shop.example/v1beta1") {
		t.Errorf("after %s: %v", took, err)
	}
}
