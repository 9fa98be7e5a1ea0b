package scenarios

import (
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/event"
)

const fitting = `scenario "fitting" {
  type = "task"
  title = "Fit"
  summary = "Fit."
  situation = "What there is."
  goal = "What shall be so."
  object "svc" {
    kind = "Service"
    name = "web"
  }
  object "pods" {
    kind = "Pod"
    selector = "tier"
  }
  solved {
    condition "selected" {
      says = "the Service selects the config's label"
      kind = "ConfigMap"
      name = "web"
      holds = self.data.app == live.svc.spec.selector.app
    }
    condition "pods" {
      says = "every pod has it"
      kind = "ConfigMap"
      name = "web"
      holds = length(live.pods) == 2 && alltrue([for p in live.pods : p.metadata.labels.tier == self.data.app])
    }
  }
  solution {
    says = "Fit."
    run = ["true"]
  }
  wrong_fix "nothing" {
    says = "Nothing."
    run = ["true"]
  }
}`

func TestLive(t *testing.T) {
	b := benchOf(t, own(t, fitting, ""))
	check := func(want Verdict, because string) {
		t.Helper()
		c := b.r.Check(t.Context(), event.Discard, CheckOptions{})
		var reasons []string
		for _, f := range c.Findings {
			reasons = append(reasons, f.Reason)
		}
		if got := strings.Join(reasons, "\n"); c.Verdict != want || !strings.Contains(got, because) {
			t.Errorf("%s: %s; want %s because %q", c.Verdict, got, want, because)
		}
	}
	b.put("configmaps", `{kind: ConfigMap, apiVersion: v1, metadata: {name: web, namespace: default, creationTimestamp: "2024-01-01T00:00:00Z"}, data: {app: web}}`)
	check(DoesNotHold, "there is no service/web")
	b.put("services", `{kind: Service, apiVersion: v1, metadata: {name: web, namespace: default, creationTimestamp: "2024-01-01T00:00:00Z"}, spec: {selector: {app: shop}}}`)
	check(DoesNotHold, `live.svc.spec.selector.app = "shop"`)
	b.put("services", `{kind: Service, apiVersion: v1, metadata: {name: web, namespace: default, creationTimestamp: "2024-01-01T00:00:00Z"}, spec: {selector: {app: web}}}`)
	check(DoesNotHold, "length(live.pods) == 2 is needed")
	for _, name := range []string{"a", "b"} {
		b.put("pods", `{kind: Pod, apiVersion: v1, metadata: {name: `+name+`, namespace: default, labels: {tier: web}, creationTimestamp: "2024-01-01T00:00:00Z"}}`)
	}
	check(Holds, "")
	b.put("pods", `{kind: Pod, apiVersion: v1, metadata: {name: b, namespace: default, labels: {tier: shop}, creationTimestamp: "2024-01-01T00:00:00Z"}}`)
	check(DoesNotHold, "= [true,false], where alltrue(")
}
