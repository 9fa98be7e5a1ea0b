package scenarios

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/labfile"
)

const door = `scenario "door" {
  type = "task"
  title = "The door"
  summary = "The door."
  situation = "What there is."
  goal = "What shall be so."
  input "namespace" { default = "shop" }
  solved {
    attempt "privileged" {
      refused  = ["privileged.yaml"]
      because  = "violates PodSecurity"
      admitted = ["modest.yaml"]
    }
    attempt "stranger" {
      as       = "system:serviceaccount:shop:stranger"
      refused  = ["modest.yaml"]
      because  = "cannot create resource"
      admitted = ["map.yaml"]
    }
  }
  solution {
    says = "Label it."
    run = ["true"]
  }
  wrong_fix "nothing" {
    says = "Nothing."
    run = ["true"]
  }
}`

// doorFiles are beside it; $${ stands for what a template fills in.
var doorFiles = fstest.MapFS{
	"privileged.yaml": {Data: []byte("{apiVersion: v1, kind: Pod, metadata: {name: privileged, namespace: '${input.namespace}'}, spec: {hostNetwork: true, containers: [{name: a, image: a}]}}")},
	"modest.yaml":     {Data: []byte("{apiVersion: v1, kind: Pod, metadata: {name: modest, namespace: '${input.namespace}'}, spec: {containers: [{name: a, image: a}]}}")},
	"map.yaml":        {Data: []byte("{apiVersion: v1, kind: ConfigMap, metadata: {name: any, namespace: '${input.namespace}'}}")},
}

func doorScenario(t *testing.T) *labfile.Scenario {
	t.Helper()
	d, diags := labfile.ParseDefinition(labfile.Source{Name: "scenario.hcl", Bytes: []byte(door), Dir: doorFiles})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return &labfile.Scenario{Definition: d}
}

func TestAttempt(t *testing.T) {
	b := benchOf(t, doorScenario(t))
	refusals := map[string]string{ // by who tries and what
		"/privileged":     `pods "privileged" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)`,
		"stranger/modest": `pods is forbidden: User "system:serviceaccount:shop:stranger" cannot create resource "pods" in API group "" in the namespace "shop"`,
	}
	status := map[string]int{}
	b.Admit = func(r *http.Request, obj *unstructured.Unstructured) (int, string) {
		who := r.Header.Get("Impersonate-User")
		if groups := strings.Join(r.Header.Values("Impersonate-Group"), " "); who != "" && groups != "system:serviceaccounts system:serviceaccounts:shop system:authenticated" {
			t.Errorf("%s tried as one of %q", who, groups)
		}
		if r.URL.Query().Get("dryRun") == "" {
			return 0, ""
		}
		if len(obj.GetLabels()) > 0 || obj.GetNamespace() != "shop" {
			t.Errorf("offered %v", obj.Object)
		}
		key := strings.TrimPrefix(who, "system:serviceaccount:shop:") + "/" + obj.GetName()
		if refusals[key] == "" {
			return 0, ""
		}
		return cmp.Or(status[key], http.StatusForbidden), refusals[key]
	}
	check := func(want Verdict, because string) {
		t.Helper()
		c := b.r.Check(t.Context(), event.Discard, CheckOptions{Settle: true})
		reasons := c.Reason
		for _, f := range c.Findings {
			reasons += "\n" + f.Reason
		}
		if c.Verdict != want || !strings.Contains(reasons, because) {
			t.Errorf("%s: %s; want %s because %q", c.Verdict, reasons, want, because)
		}
	}
	if err := b.r.Apply(t.Context(), event.Discard); err != nil {
		t.Fatal(err)
	}
	check(DoesNotHold, "there is no namespace to be let into")
	b.put("namespaces", `{kind: Namespace, apiVersion: v1, metadata: {name: shop}}`)
	check(Holds, "")
	if b.Get("pods", "shop", "modest") != nil {
		t.Error("what was offered has been made")
	}

	with := func(key string, code int, message string, want Verdict, because string) {
		t.Helper()
		old := refusals[key]
		refusals[key], status[key] = message, code
		check(want, because)
		refusals[key], status[key] = old, 0
	}
	// The rule is gone, and the control: a refusal of everything is none of what is asked about.
	with("/privileged", 0, "", DoesNotHold, "pod/privileged: it is let in")
	with("/modest", 403, `pods "modest" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot`, DoesNotHold, "pod/modest: it is refused: pods \"modest\" is forbidden")
	// Another rule is in the way: what the one asked about would say is not seen.
	with("/privileged", 403, `pods "privileged" is forbidden: exceeded quota: none`, Inconclusive, "pod/privileged: it is refused: pods \"privileged\" is forbidden: exceeded quota")
	with("/privileged", 422, `Pod "privileged" is invalid: violates PodSecurity of our own`, Holds, "")
	with("/privileged", 400, `admission webhook "x" does not support dry run`, Inconclusive, "does not support dry run")
	with("/privileged", 500, `failed calling webhook: violates PodSecurity`, Inconclusive, "failed calling webhook")
	with("/privileged", 400, `admission webhook "x" denied the request: violates PodSecurity too`, Holds, "")
	// The administrator may not speak for another: that says nothing of the other.
	with("stranger/modest", 403, `users "x" is forbidden: User "admin" cannot impersonate resource "users", cannot create resource`, Inconclusive, "cannot impersonate")
	with("stranger/modest", 0, "", DoesNotHold, "pod/modest: it is let in")
	// What is there by that name has been let in.
	b.put("configmaps", `{kind: ConfigMap, apiVersion: v1, metadata: {name: any, namespace: shop}}`)
	check(Holds, "")
}

// A proof knows a dry run from a change, and a level ends when a file changes that is offered.
func TestAttemptsOfADefinition(t *testing.T) {
	d := doorScenario(t).Definition
	before := d.Fingerprint()
	old := doorFiles["map.yaml"].Data
	defer func() { doorFiles["map.yaml"].Data = old }()
	doorFiles["map.yaml"].Data = slices.Concat(old, []byte("\n"))
	if after := d.Fingerprint(); before == "" || after == before {
		t.Errorf("%q, then %q", before, after)
	}
	given := labfile.Attempt{}
	for _, c := range d.Solved.Conditions {
		if c.Name == "stranger" {
			given = c.Evidence.(labfile.Attempt)
		}
	}
	if want := "pod/modest would be refused, and configmap/any let in, when system:serviceaccount:shop:stranger tries"; len(given.Refused) != 1 || d.Solved.Conditions[1].Says != want {
		t.Errorf("%s; want %s", d.Solved.Conditions[1].Says, want)
	}
}
