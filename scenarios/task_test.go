package scenarios

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/provision"
)

// building is a task that names objects in every way there is.
const building = `scenario "building" {
  type = "task"
  title = "Build"
  summary = "Build a web server."

  situation = "What there is."
  goal      = "What shall be so."
  seed { images = ["nginx:1.25"] }
  solved {
    condition "web" {
      says = "the pods of the web server run"
      kind = "Pod"
      selector = "app=web"
      holds = self.status.phase == "Running"
    }
    condition "config" {
      says = "it is configured"
      kind = "ConfigMap"
      name = "web"
      holds = true
    }
    condition "reader" {
      says = "somebody may read"
      kind = "ClusterRole"
      name = "reader"
      holds = true
    }
    condition "namespace" {
      says = "there is a namespace"
      kind = "Namespace"
      name = "shop"
      holds = true
    }
    condition "account" {
      says = "it has Kubernetes' own account"
      kind = "ServiceAccount"
      name = "default"
      holds = true
    }
    condition "dns" {
      says = "DNS has a config"
      kind = "ConfigMap"
      name = "coredns"
      namespace = "kube-system"
      holds = true
    }
    condition "node" {
      says = "the node is labelled"
      kind = "Node"
      name = "worker"
      holds = true
    }
    guard "untouched" {
      says = "the other Deployment is left alone"
      kind = "Deployment"
      name = "other"
      holds = true
    }
  }
  solution {
    says = "Build it."
    run = ["true"]
  }
  wrong_fix "nothing" {
    says = "Nothing."
    run = ["true"]
  }
}`

// put stores an object in YAML's short form.
func (b *bench) put(resource, text string) *unstructured.Unstructured {
	return b.Put(resource, object(b.t, text))
}

func (b *bench) there(want map[string]bool) {
	b.t.Helper()
	for what, is := range want {
		resource, rest, _ := strings.Cut(what, "/")
		namespace, name, _ := strings.Cut(rest, "/")
		if (b.Get(resource, namespace, name) != nil) != is {
			b.t.Errorf("%s is there: %v, want %v", what, !is, is)
		}
	}
}

// build is what the learner does. The Deployment is named by no condition; its pod is.
func (b *bench) build() {
	b.put("deployments", `{kind: Deployment, apiVersion: apps/v1, metadata: {name: web, namespace: default, uid: d}}`)
	b.put("replicasets", `{kind: ReplicaSet, apiVersion: apps/v1, metadata: {name: web-1, namespace: default, uid: r, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, uid: d, controller: true}]}}`)
	pod := `{kind: Pod, apiVersion: v1, metadata: {name: %s, namespace: default, labels: {app: %s}, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-1, uid: r, controller: true}]}}`
	b.put("pods", fmt.Sprintf(pod, "web-1-a", "web"))
	b.put("pods", fmt.Sprintf(pod, "web-1-b", "relabelled"))
	b.put("configmaps", `{kind: ConfigMap, apiVersion: v1, metadata: {name: web, namespace: default}}`)
	b.put("clusterroles", `{kind: ClusterRole, apiVersion: rbac.authorization.k8s.io/v1, metadata: {name: reader}}`)
	b.put("namespaces", `{kind: Namespace, apiVersion: v1, metadata: {name: shop}}`)
}

// cluster is what stands in it before the task is begun.
func (b *bench) cluster() {
	b.put("configmaps", `{kind: ConfigMap, apiVersion: v1, metadata: {name: coredns, namespace: kube-system}}`)
	b.put("deployments", `{kind: Deployment, apiVersion: apps/v1, metadata: {name: other, namespace: default}}`)
}

var (
	keptByTasks = map[string]bool{
		"configmaps/kube-system/coredns": true, "nodes//worker": true, "serviceaccounts/default/default": true, "deployments/default/other": true,
	}
	builtByLearner = map[string]bool{
		"deployments/default/web": false, "replicasets/default/web-1": false, "pods/default/web-1-a": false, "pods/default/web-1-b": false,
		"configmaps/default/web": false, "clusterroles//reader": false, "namespaces//shop": false,
	}
)

// TestResetOfATaskRemovesWhatWasBuilt, with what has made it and what it has made.
func TestResetOfATaskRemovesWhatWasBuilt(t *testing.T) {
	b := benchOf(t, own(t, building, ""))
	b.cluster()
	if o := b.observe(provision.Current); o.Settled() {
		t.Error("up would not note what is there")
	}
	b.begin()
	b.quiet("a second up", b.begin)
	for range 2 {
		b.build()
		// The learner also changes what a guard names, and replaces what Kubernetes has made.
		b.put("deployments", `{kind: Deployment, apiVersion: apps/v1, metadata: {name: other, namespace: default, uid: new}}`)
		b.put("serviceaccounts", `{kind: ServiceAccount, apiVersion: v1, metadata: {name: default, namespace: default, uid: new}}`)
		b.quiet("up", b.begin)
		if err := b.reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.there(builtByLearner)
		b.there(keptByTasks)
		if o := b.observe(provision.Current); !o.Settled() {
			t.Errorf("after the reset it is not begun again: %s", o.Reason)
		}
	}
}

// begin applies the graph, as `up` does.
func (b *bench) begin() {
	b.t.Helper()
	graph, err := provision.NewGraph(b.r)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := graph.Apply(b.t.Context(), event.Discard); err != nil {
		b.t.Fatal(err)
	}
}

// TestResetOfATaskKeepsWhatWasThere before it was begun, also what the learner has made to fit afterwards.
func TestResetOfATaskKeepsWhatWasThere(t *testing.T) {
	b := benchOf(t, own(t, building, ""))
	b.cluster()
	b.build()
	old := b.client.ServerNow().Add(-time.Hour).UTC().Format(time.RFC3339)
	b.put("pods", fmt.Sprintf(`{kind: Pod, apiVersion: v1, metadata: {name: bare, namespace: default, creationTimestamp: %q}}`, old))
	b.begin()
	b.put("pods", fmt.Sprintf(`{kind: Pod, apiVersion: v1, metadata: {name: bare, namespace: default, creationTimestamp: %q, labels: {app: web}}}`, old))
	if err := b.reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	for what := range builtByLearner {
		b.there(map[string]bool{what: true})
	}
	b.there(keptByTasks)
	b.there(map[string]bool{"pods/default/bare": true})

	// An object made anew in the place of one that was there is the learner's.
	b.Remove("configmaps", b.Get("configmaps", "default", "web"))
	b.put("configmaps", `{kind: ConfigMap, apiVersion: v1, metadata: {name: web, namespace: default, uid: anew}}`)
	if err := b.reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.there(map[string]bool{"configmaps/default/web": false, "clusterroles//reader": true})
}

// TestResetOfATaskKeepsWhatIsAnothers: other scenarios' and other labs' objects fit its conditions too.
func TestResetOfATaskKeepsWhatIsAnothers(t *testing.T) {
	for name, labels := range map[string]string{
		"another scenario's": "labctl/lab: day10, labctl/scenario: imagepull",
		"another lab's":      "labctl/lab: day11, labctl/scenario: building",
		"the lab's":          "labctl/lab: day10",
	} {
		t.Run(name, func(t *testing.T) {
			b := benchOf(t, own(t, building, ""))
			b.begin()
			b.put("configmaps", `{kind: ConfigMap, apiVersion: v1, metadata: {name: web, namespace: default, labels: {`+labels+`}}}`)
			// The pod itself lacks the marks; what has made it carries them.
			b.put("replicasets", `{kind: ReplicaSet, apiVersion: apps/v1, metadata: {name: s, namespace: default, uid: s, labels: {`+labels+`}}}`)
			b.put("pods", `{kind: Pod, apiVersion: v1, metadata: {name: s-1, namespace: default, labels: {app: web}, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: s, uid: s, controller: true}]}}`)
			if err := b.reset(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.there(map[string]bool{"configmaps/default/web": true, "replicasets/default/s": true, "pods/default/s-1": true})
		})
	}
}

// TestResetOfATaskWithoutRecord removes nothing, and says what it leaves.
func TestResetOfATaskWithoutRecord(t *testing.T) {
	for name, lose := range map[string]func(b *bench){
		"lost": func(b *bench) { b.Remove("configmaps", b.Get("configmaps", recordNamespace, recordName(lab))) },
		"broken": func(b *bench) {
			cm := b.Get("configmaps", recordNamespace, recordName(lab))
			breakAll(cm)
			b.Put("configmaps", cm)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := benchOf(t, own(t, building, ""))
			b.begin()
			b.build()
			lose(b)
			var said []string
			sink := event.SinkFunc(func(e event.Event) {
				if p, ok := e.(event.Progress); ok {
					said = append(said, p.Step)
				}
			})
			if err := b.r.Destroy(t.Context(), sink); err != nil {
				t.Fatal(err)
			}
			for what := range builtByLearner {
				b.there(map[string]bool{what: true})
			}
			text := strings.Join(said, "\n")
			for _, want := range []string{"left alone", "pod/web-1-a", "configmap/web", "clusterrole/reader", "namespace/shop"} {
				if !strings.Contains(text, want) {
					t.Errorf("%q does not say %q", text, want)
				}
			}
			if strings.Contains(text, "node/worker") || strings.Contains(text, "serviceaccount") {
				t.Errorf("%q speaks of what is Kubernetes' own", text)
			}
			b.begin()
			if o := b.observe(provision.Current); !o.Settled() {
				t.Errorf("not begun again: %s", o.Action)
			}
		})
	}
}

func breakAll(cm *unstructured.Unstructured) {
	data, _, _ := unstructured.NestedMap(cm.Object, "data")
	for k := range data {
		data[k] = "{bad"
	}
	cm.Object["data"] = data
}

// TestResetOfATaskIsResumed: what is left of a reset that was cut short goes with the next up, and nothing else.
func TestResetOfATaskIsResumed(t *testing.T) {
	b := benchOf(t, own(t, building, ""))
	b.cluster()
	b.begin()
	b.build()
	sc, client, err := b.r.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := sc.assessNow(t.Context(), client).record
	r.Removing = true
	if err := writeRecord(t.Context(), client, lab, "building", r); err != nil {
		t.Fatal(err)
	}
	if o := b.observe(provision.Partial); !strings.Contains(o.Reason, "reset was cut short") {
		t.Errorf("observed: %s", o.Reason)
	}
	b.begin()
	b.there(builtByLearner)
	b.there(keptByTasks)
	if cm := b.Get("configmaps", recordNamespace, recordName(lab)); !(kube.Ownership{Lab: lab}).On(cm.GetLabels()) {
		t.Error("the record lacks the lab's mark")
	}
	b.observe(provision.Current)
}
