package scenarios

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision"
)

// stepped is a Deployment that was well, was then updated to what is not, while the node was changed.
const stepped = `scenario "NAME" {
  type = "break"
  title = "Steps"
  summary = "Steps."
  situation = "What there is."
  goal = "What shall be so."
  seed {
    manifests = ["v1.yaml"]
    step "well" {
      until {
        condition "available" {
          says = "the Deployment is available"
          kind = "Deployment"
          name = "NAME"
          holds = self.status.availableReplicas == 2
        }
      }
    }
    step "update" {
      replace = ["v2.yaml"]
    }
    step "node" {
      patch {
        kind = "Node"
        selector = "disk"
        taints = ["dedicated=batch:NoSchedule"]
        set = {
          "/spec/unschedulable" = true
          "/metadata/labels/example.com~1tier" = "batch"
          "/metadata/labels/disk" = null
        }
      }
    }
  }
  symptom {
    condition "updated" {
      says = "it was updated"
      kind = "Deployment"
      name = "NAME"
      holds = self.spec.image == "web:2"
    }
  }
  solved {
    condition "back" {
      says = "it is back"
      kind = "Deployment"
      name = "NAME"
      holds = self.spec.image == seed["Deployment/NAME"].spec.image
    }
  }
  solution {
    says = "Go back."
    run = ["true"]
  }
  wrong_fix "nothing" {
    says = "Nothing."
    run = ["true"]
  }
}`

func newStepped(t *testing.T, name string) *bench {
	text := strings.ReplaceAll(stepped, "NAME", name)
	deployment := "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + "}\nspec: {image: \"web:VERSION\"}\n"
	d, diags := labfile.ParseDefinition(labfile.Source{Name: "scenario.hcl", Bytes: []byte(text), Dir: fstest.MapFS{
		"v1.yaml": {Data: []byte(strings.Replace(deployment, "VERSION", "1", 1))},
		"v2.yaml": {Data: []byte(strings.Replace(deployment, "VERSION", "2", 1))},
	}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	b := benchOf(t, &labfile.Scenario{Definition: d})
	b.put("nodes", `{kind: Node, apiVersion: v1, metadata: {name: worker2, labels: {disk: ssd}, annotations: {of: mine}}, spec: {taints: [{key: mine, effect: NoExecute}]}, status: {conditions: [{type: Ready, status: "True"}]}}`)
	return b
}

// asked is what an object asks for.
func askedOf(o *unstructured.Unstructured) string {
	line, err := canonical(o)
	if err != nil {
		return err.Error()
	}
	return line
}

func TestSteps(t *testing.T) {
	b := newStepped(t, "steps")
	pristine := askedOf(b.Get("nodes", "", "worker2"))
	other := askedOf(b.Get("nodes", "", "worker"))

	// Cut short while it waits for the first step.
	b.r.ProveWithin = 300 * time.Millisecond
	err := b.r.Apply(t.Context(), event.Discard)
	if err == nil || !strings.Contains(err.Error(), "step well waits for this: the Deployment is available; last seen: deployment/steps") {
		t.Fatalf("%v", err)
	}
	b.observe(provision.Partial)
	b.r.ProveWithin = 10 * time.Second

	var controller sync.WaitGroup
	controller.Go(func() {
		web := b.Get("deployments", "default", "steps")
		web.Object["status"] = map[string]any{"availableReplicas": int64(2)}
		b.Put("deployments", web)
	})
	// Cut short after the node was changed, before that is on record.
	ctx, cancel := context.WithCancel(t.Context())
	b.Fail(nil)
	var said []string
	err = b.r.Apply(ctx, event.SinkFunc(func(e event.Event) {
		if p, ok := e.(event.Progress); ok {
			if said = append(said, p.Step); p.Step == "step node" {
				cancel()
			}
		}
	}))
	controller.Wait()
	if err == nil {
		t.Fatal("it was not cut short")
	}
	if err := b.r.Apply(t.Context(), event.Discard); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(said, ", "); !strings.Contains(got, "step well, step update, step node") {
		t.Errorf("said %s", got)
	}
	b.observe(provision.Current)
	node := askedOf(b.Get("nodes", "", "worker2"))
	for _, want := range []string{`"unschedulable":true`, `"example.com/tier":"batch"`, `"key":"dedicated"`, `"key":"mine"`} {
		if !strings.Contains(node, want) {
			t.Errorf("the node lacks %s: %s", want, node)
		}
	}
	if strings.Contains(node, `"disk"`) && !strings.Contains(node, `labctl/patched.steps`) {
		t.Errorf("the label disk stands there: %s", node)
	}
	if got := askedOf(b.Get("nodes", "", "worker")); got != other {
		t.Errorf("a node that is not meant was changed: %s", got)
	}
	b.quiet("a second up", func() {
		if err := b.r.Apply(t.Context(), event.Discard); err != nil {
			t.Error(err)
		}
	})

	// Somebody repairs one thing and changes another; the record is lost. Reset puts all of it back.
	live := b.Get("nodes", "", "worker2")
	live.Object["spec"].(map[string]any)["unschedulable"] = false
	labels := live.GetLabels()
	labels["example.com/tier"] = "mine"
	live.SetLabels(labels)
	b.Put("nodes", live)
	b.Remove("configmaps", b.Get("configmaps", recordNamespace, recordName(lab)))
	if err := b.r.Destroy(t.Context(), event.Discard); err != nil {
		t.Fatal(err)
	}
	if got := askedOf(b.Get("nodes", "", "worker2")); got != pristine {
		t.Errorf("after it was removed:\n%s\nwant\n%s", got, pristine)
	}
	if b.Get("deployments", "default", "steps") != nil {
		t.Error("the Deployment is left")
	}
}

// Two scenarios that want the same field: the second is refused, and the first keeps what was there before.
func TestAPatchedFieldIsNotPatchedAgain(t *testing.T) {
	b := newStepped(t, "steps")
	pristine := askedOf(b.Get("nodes", "", "worker2"))
	second := newStepped(t, "later")
	node := b.Get("nodes", "", "worker2")
	patch := b.r.Scenario().Seed.Steps[2].Patches[0]
	one, two := mustCompile(t, b.r), mustCompile(t, second.r)
	if err := one.patch(t.Context(), b.client, patch); err != nil {
		t.Fatal(err)
	}
	patched := askedOf(b.Get("nodes", "", "worker2"))
	again := &labfile.Patch{Objects: labfile.Objects{Kind: "Node", Name: "worker2", Namespace: "default"}, Taints: patch.Taints}
	for _, p := range []*labfile.Patch{again, {Objects: again.Objects, Set: patch.Set}} {
		err := two.patch(t.Context(), b.client, p)
		if clierr.ClassOf(err) != clierr.Refused || !strings.Contains(err.Error(), "scenario steps has changed") {
			t.Errorf("%v", err)
		}
	}
	if got := askedOf(b.Get("nodes", "", "worker2")); got != patched {
		t.Errorf("a refused patch has changed %s", got)
	}
	if err := two.unpatch(t.Context(), b.client); err != nil {
		t.Fatal(err)
	}
	if err := one.unpatch(t.Context(), b.client); err != nil {
		t.Fatal(err)
	}
	if got := askedOf(b.Get("nodes", "", "worker2")); got != pristine {
		t.Errorf("%s\nwant\n%s (%s)", got, pristine, kube.Ref(node.GetKind(), node.GetName()))
	}
}
