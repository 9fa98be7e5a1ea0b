package scenarios

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/provision"
)

func TestResetReplacesWhatTheLearnerReplaced(t *testing.T) {
	b := newBench(t, "bare-pod")
	b.up()
	b.Remove("pods", b.Get("pods", "default", "imagepull"))
	if c := b.r.Check(t.Context(), event.Discard, CheckOptions{}); c.State != OriginalGone {
		t.Errorf("after the pod was deleted: %s: %s", c.State, c.Reason)
	}
	b.Put("pods", object(t, `{kind: Pod, apiVersion: v1, metadata: {name: imagepull, namespace: default}, spec: {containers: [{image: "nginx:1.25"}]}}`))
	b.Put("pods", object(t, `{kind: Pod, apiVersion: v1, metadata: {name: mine, namespace: default}, spec: {}}`))
	b.observe(provision.Drifted)
	var kubelet sync.WaitGroup
	kubelet.Go(func() {
		for {
			if pod := b.Get("pods", "default", "imagepull"); pod != nil && pod.GetLabels()[kube.LabelLab] == lab {
				b.status("imagepull", brokenStatus)
				return
			}
			time.Sleep(2 * time.Millisecond)
		}
	})
	if err := b.reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	kubelet.Wait()
	b.observe(provision.Current)
	if b.Get("pods", "default", "mine") == nil {
		t.Error("reset removed a pod that is not the scenario's")
	}
	if err := b.r.Destroy(t.Context(), event.Discard); err != nil {
		t.Fatal(err)
	}
	b.gone()
}

// The API server's clock is an hour ahead of ours, and must be the one that counts.
func TestCheckWaitsForTheHold(t *testing.T) {
	b := newBench(t, "bare-pod")
	b.up()
	pod := b.Get("pods", "default", "imagepull")
	pod.Object["spec"].(map[string]any)["containers"].([]any)[0].(map[string]any)["image"] = "nginx:1.25"
	b.Put("pods", pod)
	started := b.client.ServerNow().Truncate(time.Second)
	b.status("imagepull", b.runs(started))
	var said []string
	c := b.r.Check(t.Context(), event.SinkFunc(func(e event.Event) {
		if p, ok := e.(event.Progress); ok {
			said = append(said, p.Step)
		}
	}), CheckOptions{})
	if c.Verdict != Holds || c.State != Solved {
		t.Fatalf("%s, %s: %s", c.Verdict, c.State, c.Reason)
	}
	if held := b.client.ServerNow().Sub(started); held < 3*time.Second || held > 8*time.Second {
		t.Errorf("said solved after %s, want some 3s", held)
	}
	if len(said) == 0 || !strings.Contains(said[0], "holds for 3s") {
		t.Errorf("check said %q while it waited", said)
	}
}

func TestUnreachableAPI(t *testing.T) {
	b := newBench(t, "bare-pod")
	b.up()
	b.Fail(func(*http.Request) (int, string) { return 503, "etcdserver: leader changed" })
	for name, result := range map[string]Result{
		"verify": b.r.Verify(t.Context()),
		"check":  b.r.Check(t.Context(), event.Discard, CheckOptions{}),
	} {
		if result.Verdict != Inconclusive || clierr.ClassOf(result.Err()) != clierr.Inconclusive {
			t.Errorf("%s: %s: %s", name, result.Verdict, result.Reason)
		}
	}
	if _, err := b.r.Observe(t.Context()); clierr.ClassOf(err) != clierr.Inconclusive {
		t.Errorf("observe: %v", err)
	}
}

func TestSymptomThatDoesNotComeIsAnError(t *testing.T) {
	for message, class := range map[string]clierr.Class{
		"pulling":               clierr.Failed,
		"dial tcp: i/o timeout": clierr.Inconclusive,
	} {
		b := newBench(t, "bare-pod")
		b.r.ProveWithin = 400 * time.Millisecond
		var kubelet sync.WaitGroup
		kubelet.Go(func() { b.status("imagepull", strings.Replace(brokenStatus, "nginx:99999: not found", message, 1)) })
		err := b.r.Apply(t.Context(), event.Discard)
		kubelet.Wait()
		if err == nil || clierr.ClassOf(err) != class || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: %v (%s), want %s and what was last seen", message, err, clierr.ClassOf(err), class)
		}
		b.observeAny()
	}
}

// observeAny only must not fail for another reason than that it cannot tell.
func (b *bench) observeAny() {
	b.t.Helper()
	if o, err := b.r.Observe(b.t.Context()); err == nil && o.State != provision.Partial || err != nil && clierr.ClassOf(err) != clierr.Inconclusive {
		b.t.Errorf("observed %s, %v", o.State, err)
	}
}

func TestWithoutAClusterThereIsNothing(t *testing.T) {
	r := NewResource(lab, scenarioOf(t, "bare-pod"), noCluster{}, nil)
	if o, err := r.Observe(t.Context()); err != nil || o.State != provision.Absent {
		t.Errorf("observed %s, %v", o.State, err)
	}
	if err := r.Destroy(t.Context(), event.Discard); err != nil {
		t.Error(err)
	}
	if v := r.Verify(t.Context()); v.Verdict != DoesNotHold {
		t.Errorf("verify: %s", v.Verdict)
	}
}

type noCluster struct{}

func (noCluster) Client(context.Context) (*kube.Client, error) {
	return nil, fmt.Errorf("my-cluster: %w", kube.ErrNoCluster)
}

func TestHintsThatApply(t *testing.T) {
	b := newBench(t, "bare-pod")
	b.up()
	before, err := b.r.Hints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pod := b.Get("pods", "default", "imagepull")
	pod.Object["spec"].(map[string]any)["containers"].([]any)[0].(map[string]any)["image"] = "nginx:1.25"
	b.Put("pods", pod)
	b.status("imagepull", b.runs(time.Now()))
	after, err := b.r.Hints(t.Context())
	if err != nil || len(before.Texts) != 3 || len(after.Texts) != 1 || before.Seeded.IsZero() || after.Seeded != before.Seeded {
		t.Errorf("%d hints while broken and %d when mended, want 3 and 1; %v", len(before.Texts), len(after.Texts), err)
	}
}
