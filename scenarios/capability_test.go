package scenarios

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

func needing(t *testing.T, capability string) *bench {
	return benchOf(t, own(t, strings.Replace(asking, `type = "task"`, `type = "task"
  needs = ["`+capability+`"]`, 1), ""))
}

func TestEveryCapabilityCanBeObserved(t *testing.T) {
	if have, want := slices.Sorted(maps.Keys(capabilities)), slices.Sorted(slices.Values(labfile.Capabilities())); !slices.Equal(have, want) {
		t.Errorf("%q are observed; lab files may name %q", have, want)
	}
}

// What a cluster lacks is said before anything is made, with what was seen; what cannot be told is said to be that.
func TestNeeds(t *testing.T) {
	const (
		worker = `{kind: Node, apiVersion: v1, metadata: {name: worker2}, status: {conditions: [{type: Ready, status: "True"}]}}`
		class  = `{kind: StorageClass, apiVersion: storage.k8s.io/v1, metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}, allowVolumeExpansion: `
		served = `{kind: APIService, apiVersion: apiregistration.k8s.io/v1, metadata: {name: v1beta1.metrics.k8s.io}, status: {conditions: [{type: Available, status: `
	)
	for _, test := range []struct {
		needs, resource, object string
		class                   clierr.Class
		because                 string // empty: it is not refused
	}{
		{"two-workers", "", "", clierr.Refused, "1 worker node takes ordinary pods, of 1 node in all"},
		{"two-workers", "nodes", worker, 0, ""},
		{"two-workers", "nodes", strings.Replace(worker, `"True"`, `"False"`, 1), clierr.Inconclusive, "1 worker node is not Ready"},
		{"two-workers", "nodes", strings.Replace(worker, "status:", "spec: {unschedulable: true}, status:", 1), clierr.Refused, "1 worker node takes"},
		{"two-workers", "nodes", strings.Replace(worker, "status:", "spec: {taints: [{key: x, effect: NoSchedule}]}, status:", 1), clierr.Refused, "1 worker node takes"},
		{"two-workers", "nodes", strings.Replace(worker, "name: worker2", `name: cp, labels: {node-role.kubernetes.io/control-plane: ""}`, 1), clierr.Refused, "of 2 nodes in all"},
		{"default-storage-class", "", "", clierr.Refused, "it has no default StorageClass (0 in all)"},
		{"default-storage-class", "storageclasses", class + "false}", 0, ""},
		{"default-storage-class", "storageclasses", strings.Replace(class, `"true"`, `"false"`, 1) + "true}", clierr.Refused, "(1 in all)"},
		{"expandable-storage", "storageclasses", class + "false}", clierr.Refused, "standard does not have allowVolumeExpansion"},
		{"expandable-storage", "storageclasses", class + "true}", 0, ""},
		{"metrics", "", "", clierr.Refused, "there is no APIService v1beta1.metrics.k8s.io"},
		{"metrics", "apiservices", served + `"True"}]}}`, 0, ""},
		{"metrics", "apiservices", served + `"False", message: no endpoints}]}}`, clierr.Inconclusive, "not available now: no endpoints"},
	} {
		b := needing(t, test.needs)
		if test.resource != "" {
			b.put(test.resource, test.object)
		}
		err := b.r.Apply(t.Context(), event.Discard)
		if test.because == "" {
			if err != nil {
				t.Errorf("%s with %s: %v", test.needs, test.object, err)
			}
			continue
		}
		if err == nil || clierr.ClassOf(err) != test.class || !strings.Contains(err.Error(), test.because) {
			t.Errorf("%s with %s: %v; want class %v because %q", test.needs, test.object, err, test.class, test.because)
		}
		if test.class == clierr.Refused && clierr.NextOf(err) == "" {
			t.Errorf("%s: it is not said what to do", test.needs)
		}
		if calls := b.Calls(); len(calls) > 0 {
			t.Errorf("%s: something was made: %q", test.needs, calls)
		}
	}
}

func TestNeedsThatCannotBeAsked(t *testing.T) {
	b := needing(t, "default-storage-class")
	b.Fail(func(r *http.Request) (int, string) {
		if strings.Contains(r.URL.Path, "storageclasses") {
			return 500, "etcd is away"
		}
		return 0, ""
	})
	err := b.r.Apply(t.Context(), event.Discard)
	if clierr.ClassOf(err) != clierr.Inconclusive || !strings.Contains(err.Error(), "etcd is away") {
		t.Errorf("%v", err)
	}
}

// playPolicyPods ends the pods by which policies are observed: with these exit codes, as soon as their Jobs are made.
func playPolicyPods(b *bench, denied, free string) {
	ctx := b.t.Context()
	jobs := kube.Query{Kind: "Job.batch", Namespace: probeNamespace}
	policies := kube.Query{Kind: "NetworkPolicy.networking.k8s.io", Namespace: probeNamespace}
	namespaces := kube.Query{Kind: "Namespace", Name: probeNamespace}
	_ = b.client.Until(ctx, []kube.Query{jobs, policies, namespaces}, func(s kube.Snapshot) kube.Decision {
		if len(s[namespaces].Objects) > 0 {
			b.put("serviceaccounts", `{kind: ServiceAccount, apiVersion: v1, metadata: {name: default, namespace: `+probeNamespace+`}}`)
		}
		for _, job := range s[jobs].Objects {
			exit := free
			if strings.Contains(job.GetName(), "denied") {
				exit = denied
				if len(s[policies].Objects) == 0 {
					continue // the pod would be let through
				}
			}
			nonce := job.GetLabels()[labelProbe]
			b.Logs(probeNamespace, "pod-"+nonce, "\n"+nonce+":"+exit+"\n")
			b.Put("pods", &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "v1", "kind": "Pod", "status": map[string]any{"phase": "Succeeded"},
				"metadata": map[string]any{"name": "pod-" + nonce, "namespace": probeNamespace, "labels": map[string]any{labelProbe: nonce}},
			}})
		}
		return kube.Decision{}
	})
}

func TestNeedsNetworkPolicy(t *testing.T) {
	for _, test := range []struct {
		denied, free string
		class        clierr.Class
		because      string
	}{
		{"3", "0", 0, ""},
		{"0", "0", clierr.Refused, "the network plugin does not enforce policies"},
		{"3", "3", clierr.Inconclusive, "does not always reach the cluster's DNS either"},
		{"127", "0", clierr.Inconclusive, "could not be run"},
	} {
		b := needing(t, "network-policy")
		go playPolicyPods(b, test.denied, test.free)
		err := b.r.Apply(t.Context(), event.Discard)
		if test.because == "" && err != nil || test.because != "" && (err == nil || clierr.ClassOf(err) != test.class || !strings.Contains(err.Error(), test.because)) {
			t.Errorf("denied %s, free %s: %v; want %q", test.denied, test.free, err, test.because)
		}
		if jobs := b.All("jobs"); len(jobs) > 0 {
			t.Errorf("denied %s, free %s: %s is left", test.denied, test.free, jobs[0].GetName())
		}
		for _, policy := range b.All("networkpolicies") { // the garbage collector removes it with its Job
			if owners := policy.GetOwnerReferences(); len(owners) != 1 || owners[0].Kind != "Job" || !(kube.Ownership{Lab: lab}).On(policy.GetLabels()) {
				t.Errorf("the policy would stay: %v", policy.Object)
			}
		}
		if known := b.Get("configmaps", probeNamespace, policiesKnown) != nil; known != (test.because == "") {
			t.Errorf("denied %s, free %s: remembered: %v", test.denied, test.free, known)
		}
	}
}

// A cluster that was seen to enforce policies is not asked again.
func TestPoliciesAreRemembered(t *testing.T) {
	b := needing(t, "network-policy")
	b.put("configmaps", `{kind: ConfigMap, apiVersion: v1, metadata: {name: `+policiesKnown+`, namespace: `+probeNamespace+`}}`)
	if err := b.r.Apply(t.Context(), event.Discard); err != nil {
		t.Error(err)
	}
	for _, call := range b.Calls() {
		if strings.Contains(call, "jobs") {
			t.Errorf("it was asked again: %s", call)
		}
	}
}
