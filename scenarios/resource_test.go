package scenarios

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/kube/kubetest"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision"
)

// bench is a server, a scenario on it, and whoever plays the kubelet.
type bench struct {
	*kubetest.Server
	t      *testing.T
	r      *Resource
	client *kube.Client
}

func (b *bench) Client(context.Context) (*kube.Client, error) { return b.client, nil }

func newBench(t *testing.T, name string) *bench { return benchOf(t, scenarioOf(t, name)) }

func benchOf(t *testing.T, s *labfile.Scenario) *bench {
	b := &bench{Server: kubetest.New(t), t: t}
	b.Ahead = time.Hour // the laptop's clock is not the cluster's
	var err error
	if b.client, err = kube.New(b.Config(), kube.Options{}); err != nil {
		t.Fatal(err)
	}
	b.Put("nodes", object(t, `{kind: Node, apiVersion: v1, metadata: {name: worker}, status: {conditions: [{type: Ready, status: "True"}]}}`))
	b.Put("serviceaccounts", object(t, `{kind: ServiceAccount, apiVersion: v1, metadata: {name: default, namespace: default}}`))
	b.r = NewResource(lab, s, b, nil)
	b.r.ProveWithin = 10 * time.Second
	return b
}

// status sets what a pod's kubelet would report, once the pod is there.
func (b *bench) status(name string, status string) {
	b.t.Helper()
	deadline := time.After(5 * time.Second)
	for {
		if pod := b.Get("pods", "default", name); pod != nil {
			_ = unstructured.SetNestedField(pod.Object, "worker", "spec", "nodeName")
			var reported map[string]any
			if err := yaml.Unmarshal([]byte(status), &reported); err != nil {
				b.t.Error(err)
			}
			pod.Object["status"] = reported
			b.Put("pods", pod)
			return
		}
		select {
		case <-deadline:
			b.t.Errorf("no pod %s to report on", name)
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

const brokenStatus = `{phase: Pending, containerStatuses: [{restartCount: 0, ready: false, state: {waiting: {reason: ErrImagePull, message: "nginx:99999: not found"}}}]}`

func (b *bench) runs(startedAt time.Time) string {
	return fmt.Sprintf(`{phase: Running, conditions: [{type: Ready, status: "True"}], containerStatuses: [{restartCount: 0, ready: true, state: {running: {startedAt: %q}}}]}`,
		startedAt.UTC().Format(time.RFC3339))
}

// up applies while the kubelet reports the symptom.
func (b *bench) up() {
	b.t.Helper()
	var kubelet sync.WaitGroup
	kubelet.Go(func() { b.status("imagepull", brokenStatus) })
	err := b.r.Apply(b.t.Context(), event.Discard)
	kubelet.Wait()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) observe(want provision.State) provision.Observation {
	b.t.Helper()
	o, err := b.r.Observe(b.t.Context())
	if err != nil || o.State != want {
		b.t.Fatalf("observed %s (%s), %v; want %s", o.State, o.Reason, err, want)
	}
	return o
}

// quiet checks that do makes no call that changes anything.
func (b *bench) quiet(what string, do func()) {
	b.t.Helper()
	before := len(b.Calls())
	do()
	if calls := b.Calls()[before:]; len(calls) > 0 {
		b.t.Errorf("%s made mutating calls: %v", what, calls)
	}
}

func TestUpSeedsProvesAndThenLeavesAlone(t *testing.T) {
	b := newBench(t, "bare-pod")
	if o := b.observe(provision.Absent); o.Action == "" {
		t.Error("nothing would be done about an absent scenario")
	}
	b.up()
	b.observe(provision.Current)
	if !strings.Contains(b.r.Summary(), "broken as declared") {
		t.Errorf("summary %q", b.r.Summary())
	}
	b.quiet("a second up, verify and check", func() {
		if err := b.r.Apply(t.Context(), event.Discard); err != nil {
			t.Error(err)
		}
		b.observe(provision.Current)
		if v := b.r.Verify(t.Context()); v.Verdict != Holds || v.Err() != nil {
			t.Errorf("verify: %s: %s", v.Verdict, v.Reason)
		}
		if c := b.r.Check(t.Context(), event.Discard, CheckOptions{}); clierr.ClassOf(c.Err()) != clierr.NotHolding {
			t.Errorf("check: %v", c.Err())
		}
	})

	// The learner edits the image, half right; then wholly.
	for _, image := range []string{"nginx:99998", "nginx:1.25"} {
		pod := b.Get("pods", "default", "imagepull")
		pod.Object["spec"].(map[string]any)["containers"].([]any)[0].(map[string]any)["image"] = image
		pod.SetCreationTimestamp(metav1.NewTime(b.client.ServerNow().Add(-time.Minute)))
		b.Put("pods", pod)
		if image == "nginx:1.25" {
			b.status("imagepull", b.runs(b.client.ServerNow().Add(-time.Minute)))
		}
		b.quiet("up after "+image, func() {
			if err := b.r.Apply(t.Context(), event.Discard); err != nil {
				t.Error(err)
			}
		})
		if now := b.Get("pods", "default", "imagepull"); now.GetResourceVersion() == "" ||
			now.Object["spec"].(map[string]any)["containers"].([]any)[0].(map[string]any)["image"] != image {
			t.Errorf("up changed the learner's image %s", image)
		}
	}
	b.observe(provision.Current)
}

func TestVerifyDoesNotFlip(t *testing.T) {
	b := newBench(t, "bare-pod")
	b.up()
	states := []string{
		brokenStatus,
		strings.Replace(brokenStatus, "ErrImagePull", "ImagePullBackOff", 1),
		strings.NewReplacer("ErrImagePull", "ImagePullBackOff", "nginx:99999: not found", "Back-off pulling image").Replace(brokenStatus),
		strings.NewReplacer("ErrImagePull", "ContainerCreating", "nginx:99999: not found", "").Replace(brokenStatus),
	}
	for i := range 100 {
		b.status("imagepull", states[i%len(states)])
		if v := b.r.Verify(t.Context()); v.Verdict != Holds {
			t.Fatalf("run %d: %s: %s", i, v.Verdict, v.Reason)
		}
	}
}

func TestSeedingIsResumed(t *testing.T) {
	// It is cut short at each of its requests that change something, and then done again.
	for cut := 1; ; cut++ {
		b := newBench(t, "bare-pod")
		n := 0
		var mu sync.Mutex
		b.Fail(func(r *http.Request) (int, string) {
			mu.Lock()
			defer mu.Unlock()
			if r.Method != http.MethodGet {
				n++
			}
			if n == cut && r.Method != http.MethodGet {
				return 400, "cut short by the test"
			}
			return 0, ""
		})
		stop := make(chan struct{})
		var kubelet sync.WaitGroup
		kubelet.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(5 * time.Millisecond):
					if pod := b.Get("pods", "default", "imagepull"); pod != nil && pod.Object["status"] == nil {
						b.status("imagepull", brokenStatus)
					}
				}
			}
		})
		err := b.r.Apply(t.Context(), event.Discard)
		b.Fail(nil)
		again := NewResource(lab, b.r.Scenario(), b, nil)
		again.ProveWithin = 5 * time.Second
		if aerr := again.Apply(t.Context(), event.Discard); aerr != nil {
			t.Fatalf("cut at %d: the second up: %v", cut, aerr)
		}
		close(stop)
		kubelet.Wait()
		b.r = again
		b.observe(provision.Current)
		if derr := again.Destroy(t.Context(), event.Discard); derr != nil {
			t.Fatal(derr)
		}
		b.gone()
		if err == nil {
			if cut < 5 {
				t.Errorf("only %d requests could be cut", cut-1)
			}
			return
		}
	}
}

func (b *bench) gone() {
	b.t.Helper()
	if b.Get("pods", "default", "imagepull") != nil || b.Get("configmaps", recordNamespace, recordName(lab)) != nil {
		b.t.Error("something of the scenario is left")
	}
}

func TestForeignPodIsRefusedBeforeAnyAct(t *testing.T) {
	b := newBench(t, "bare-pod")
	b.Put("pods", object(t, `{kind: Pod, apiVersion: v1, metadata: {name: imagepull, namespace: default}, spec: {}}`))
	b.quiet("up", func() {
		_, oerr := b.r.Observe(t.Context())
		for name, err := range map[string]error{"apply": b.r.Apply(t.Context(), event.Discard), "preflight": b.r.Preflight(t.Context()), "observe": oerr} {
			if clierr.ClassOf(err) != clierr.Refused {
				t.Errorf("%s: %v, want a refusal", name, err)
			}
		}
		if err := b.r.Destroy(t.Context(), event.Discard); err != nil {
			t.Error(err)
		}
	})
	if b.Get("pods", "default", "imagepull") == nil {
		t.Error("the foreign pod is gone")
	}
}
