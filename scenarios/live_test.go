package scenarios

import (
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
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

// What a condition compares with is as fresh, and as much the exercise's own, as what it asks about.
func TestWhatIsComparedWithCannotBeTold(t *testing.T) {
	named := &labfile.Object{Name: "other", Objects: labfile.Objects{Kind: "Pod", Name: "other"}}
	listed := &labfile.Object{Name: "other", Objects: labfile.Objects{Kind: "Pod", Selector: "app=other"}}
	there := func(objs ...*unstructured.Unstructured) kube.Update { return kube.Update{Synced: true, Objects: objs} }
	going := podOn(t, "going", "worker", `, deletionTimestamp: "2024-01-01T00:00:00Z"`)
	unknown := kube.Update{Synced: true, Err: &kube.KindError{Kind: "Pod"}}
	for what, row := range map[string]struct {
		live    *labfile.Object
		holds   string
		update  kube.Update
		want    Verdict
		because string
	}{
		"it is as it must be":                {named, `live.other.status.phase == "Running"`, there(podOn(t, "other", "worker", "")), Holds, ""},
		"it is not there":                    {named, `live.other.status.phase == "Running"`, there(), DoesNotHold, "there is no pod/other"},
		"it is going":                        {named, `live.other.status.phase == "Running"`, there(going), DoesNotHold, "there is no pod/other"},
		"its kind is not there":              {named, `live.other.status.phase == "Running"`, unknown, DoesNotHold, `the cluster has no kind "Pod"`},
		"a list of a kind that is not there": {listed, `length(live.other) == 0`, unknown, Inconclusive, "says nothing"},
		"a list without what is going":       {listed, `length(live.other) == 0`, there(going), Holds, ""},
		"it cannot be read":                  {named, `live.other.status.phase == "Running"`, kube.Update{Err: errors.New("forbidden")}, Inconclusive, "forbidden"},
		"it was not seen yet":                {named, `live.other.status.phase == "Running"`, kube.Update{}, Inconclusive, "not seen yet"},
		"its status is frozen":               {named, `live.other.status.phase == "Running"`, there(podOn(t, "other", "dead", "")), Inconclusive, "on node dead, which is not Ready"},
		"one of a list is frozen":            {listed, `alltrue([for p in live.other : p.status.phase == "Running"])`, there(podOn(t, "other", "dead", "")), Inconclusive, "on node dead, which is not Ready"},
		"its frozen status is not asked for": {named, `live.other.metadata.name == "other"`, there(podOn(t, "other", "dead", "")), Holds, ""},
		"a fault outside":                    {named, `live.other.status.phase == "Running"`, there(object(t, pulling)), Inconclusive, "a reason outside the exercise"},
		"a fault outside of one of a list":   {listed, `alltrue([for p in live.other : ready(p)])`, there(object(t, pulling)), Inconclusive, "a reason outside the exercise"},
		"a fault that is not asked for":      {named, `live.other.metadata.name == "other"`, there(object(t, pulling)), DoesNotHold, `live.other.metadata.name = "web"`},
	} {
		c := conditionOn(t, row.holds)
		c.Live = []string{"other"}
		e := seen(t, objects(row.live.Objects).query(), row.update, row.live)
		e.snapshot[sourceOf(c).query()] = there(podOn(t, "self", "worker", ""))
		if f := e.find("condition", c); f.Verdict != row.want || !strings.Contains(f.Reason, row.because) {
			t.Errorf("%s: %s, %q; want %s, %q", what, f.Verdict, f.Reason, row.want, row.because)
		}
	}
}

// An edit of what a condition compares with starts the time anew, as does a change of its status where that is asked for.
func TestSinceWhenWhatIsComparedWithHolds(t *testing.T) {
	hour, minute := ago(time.Hour), ago(time.Minute)
	pod := func(made, turned string) *unstructured.Unstructured {
		return object(t, `{kind: Pod, apiVersion: v1, metadata: {name: other, namespace: default, creationTimestamp: "`+made+`"}, status: {conditions: [{type: Ready, status: "True", lastTransitionTime: "`+turned+`"}]}}`)
	}
	live := &labfile.Object{Name: "other", Objects: labfile.Objects{Kind: "Pod", Name: "other"}}
	for what, row := range map[string]struct {
		holds        string
		made, turned string
		want         time.Duration
	}{
		"nothing has changed":               {`ready(live.other)`, hour, hour, time.Hour},
		"it was made anew":                  {`ready(live.other)`, minute, hour, time.Minute},
		"its status has turned":             {`ready(live.other)`, hour, minute, time.Minute},
		"its status has turned, unasked":    {`live.other.spec.nodeName == self.spec.nodeName`, hour, minute, time.Hour},
		"it is not what this one refers to": {`live.others.status == self.spec`, hour, minute, time.Hour},
	} {
		c := conditionOn(t, row.holds)
		c.Live = []string{"other"}
		e := &evaluator{live: []*labfile.Object{live}, snapshot: kube.Snapshot{objects(live.Objects).query(): {Synced: true, Objects: []*unstructured.Unstructured{pod(row.made, row.turned)}}}}
		if got := noon.Sub(e.heldSince([]*labfile.Condition{c})); got != row.want {
			t.Errorf("%s: held for %s, want %s", what, got, row.want)
		}
	}
}
