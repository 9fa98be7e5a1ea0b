package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/event"
)

const reading = `scenario "reading" {
  type = "task"
  title = "Read"
  summary = "Read."
  situation = "What there is."
  goal = "What shall be so."
  solved {
    access "reader" {
      as  = "system:serviceaccount:shop:reader"
      may = ["list pods in shop", "get deployments named web in shop"]
      not = ["delete pods in shop", "list pods in *", "get nodes", "* * in shop"]
    }
    condition "no-copy" {
      says  = "there is no copy"
      kind  = "ConfigMap"
      name  = "copy"
      match = "none"
    }
  }
  solution {
    says = "Bind a role."
    run = ["true"]
  }
  wrong_fix "nothing" {
    says = "Nothing."
    run = ["true"]
  }
}`

func TestAccess(t *testing.T) {
	b := benchOf(t, own(t, reading, ""))
	may := map[string]bool{"list pods in shop": true, "get apps deployments web in shop": true}
	trouble := ""
	b.Review = func(spec map[string]any) (bool, string) {
		if groups := fmt.Sprint(spec["groups"]); spec["user"] != "system:serviceaccount:shop:reader" || groups != "[system:serviceaccounts system:serviceaccounts:shop system:authenticated]" {
			t.Errorf("asked for %v in %v", spec["user"], groups)
		}
		of := spec["resourceAttributes"].(map[string]any)
		asked := strings.Join(slices.DeleteFunc([]string{
			fmt.Sprint(of["verb"]), fmt.Sprint(of["group"]), fmt.Sprint(of["resource"]), fmt.Sprint(of["name"]),
		}, func(s string) bool { return s == "" }), " ")
		switch ns, namespaced := of["namespace"]; {
		case !namespaced:
		case ns == "":
			asked += " everywhere"
		default:
			asked += fmt.Sprint(" in ", ns)
		}
		return may[asked], trouble
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
	check(DoesNotHold, "there is no serviceaccount/reader in namespace shop")
	b.put("serviceaccounts", `{kind: ServiceAccount, apiVersion: v1, metadata: {name: reader, namespace: shop}}`)
	check(Holds, "")
	for asked, says := range map[string]string{
		"delete pods in shop":  "system:serviceaccount:shop:reader may delete pods in shop",
		"list pods everywhere": "may list pods in *",
		"get nodes":            "may get nodes",
		"* * * in shop":        "may * * in shop",
	} {
		may[asked] = true
		check(DoesNotHold, says)
		delete(may, asked)
	}
	delete(may, "list pods in shop")
	check(DoesNotHold, "reader may not list pods in shop")
	// A binding to a role that is not there allows nothing; any other trouble of the authorizers tells nothing.
	trouble = `RBAC: role.rbac.authorization.k8s.io "reader" not found`
	check(DoesNotHold, "reader may not list pods in shop")
	trouble = "webhook: connection refused"
	check(Inconclusive, "webhook: connection refused")
	trouble, may["list pods in shop"] = "", true
	check(Holds, "")
	b.put("configmaps", `{kind: ConfigMap, apiVersion: v1, metadata: {name: copy, namespace: default}}`)
	check(DoesNotHold, "configmap/copy is there")
}

// A no to what does not exist says nothing: it may be misspelt.
func TestAccessToAMisspeltResource(t *testing.T) {
	for _, resource := range []string{"podz", "deployment.apps", "pods.apps"} {
		b := benchOf(t, own(t, strings.Replace(reading, "get nodes", "get "+resource, 1), ""))
		b.put("serviceaccounts", `{kind: ServiceAccount, apiVersion: v1, metadata: {name: reader, namespace: shop}}`)
		b.Review = func(map[string]any) (bool, string) { return false, "" }
		findings := b.r.Check(t.Context(), event.Discard, CheckOptions{}).Findings
		f := findings[slices.IndexFunc(findings, func(f Finding) bool { return f.Name == "reader" })]
		if f.Verdict != Inconclusive || !strings.Contains(f.Reason, "the cluster has no resource "+resource) {
			t.Errorf("%s: %s, %q", resource, f.Verdict, f.Reason)
		}
	}
}

// Nobody watches access, and yet whoever waits for it sees it come, and has it held for as long as it must.
func TestAccessIsWaitedFor(t *testing.T) {
	b := benchOf(t, own(t, strings.Replace(reading, "  solved {", "  solved {\n    stable_for = \"2s\"", 1), ""))
	b.put("serviceaccounts", `{kind: ServiceAccount, apiVersion: v1, metadata: {name: reader, namespace: shop}}`)
	var looks, deletes atomic.Int32
	b.Review = func(spec map[string]any) (bool, string) {
		of := spec["resourceAttributes"].(map[string]any)
		switch {
		case of["verb"] == "delete":
			looks.Add(1)
			return deletes.Add(1) == 1, "" // forbidden from the second look on
		case of["verb"] == "list" && of["namespace"] == "shop", of["resource"] == "deployments":
			return true, ""
		}
		return false, ""
	}
	c := b.r.Check(t.Context(), event.Discard, CheckOptions{Wait: 20 * time.Second})
	if c.Verdict != Holds || looks.Load() < 3 {
		t.Errorf("%s after %d looks: %s", c.Verdict, looks.Load(), c.Reason)
	}
}
