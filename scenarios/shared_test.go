package scenarios

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/kube/kubetest"
)

const copied = `scenario "copy-0" {
  type = "break"
  title = "A setting"
  summary = "It says no."
  situation = "What there is."
  goal = "It says yes."
  seed { manifests = ["all.yaml"] }
  symptom {
    condition "no" {
      says = "it says no"
      kind = "ConfigMap"
      name = "copy-0"
      holds = self.data.answer == "no"
    }
  }
  solved {
    condition "yes" {
      says = "it says yes"
      kind = "ConfigMap"
      selector = "of=copy-0"
      holds = self.data.answer == "yes"
    }
  }
  solution {
    says = "x"
    run = ["true"]
  }
  wrong_fix "w" {
    says = "x"
    run = ["true"]
  }
}`

// copies are n scenarios of one template in one cluster, seeded; requests counts those of their client by kind.
func copies(t testing.TB, n int) (all []*Resource, requests func() map[string]int) {
	t.Helper()
	s := kubetest.New(t)
	var mu sync.Mutex
	counts := map[string]int{}
	client, err := kube.New(s.Config(), kube.Options{OnRequest: func(r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		counts[r.Method+" "+path.Base(r.URL.Path)]++
	}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		name := fmt.Sprintf("copy-%d", i)
		r := NewResource(lab, own(t, strings.ReplaceAll(copied, "copy-0", name),
			"{apiVersion: v1, kind: ConfigMap, metadata: {name: "+name+", labels: {of: "+name+"}}, data: {answer: \"no\"}}"), fixed{client}, nil)
		if err := r.Apply(t.Context(), event.Discard); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all, func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		last := counts
		counts = map[string]int{}
		return last
	}
}

// verifyTogether is what a look at a whole lab does.
func verifyTogether(t testing.TB, all []*Resource) {
	shared := &kube.Shared{}
	var looks sync.WaitGroup
	for _, r := range all {
		r.Shared = shared
		looks.Go(func() {
			if v := r.Verify(t.Context()); v.Verdict != Holds || v.State != Broken {
				t.Errorf("%s: %s, %s: %s", v.Scenario, v.State, v.Verdict, v.Reason)
			}
		})
	}
	looks.Wait()
}

// However many scenarios there are, a look at them asks for each kind once.
func TestALookListsEachKindOnce(t *testing.T) {
	for _, n := range []int{1, 20} {
		all, requests := copies(t, n)
		requests()
		verifyTogether(t, all)
		if got, want := fmt.Sprint(requests()), "map[GET configmaps:1 GET nodes:1]"; got != want {
			t.Errorf("%d scenarios: %s; want %s", n, got, want)
		}
	}
}

// What is shared is what each would have seen by itself.
func TestASharedLookIsAsOnesOwn(t *testing.T) {
	b := benchOf(t, own(t, asking, ""))
	b.put("pods", `{kind: Pod, apiVersion: v1, metadata: {name: web, namespace: default, labels: {app: web}}}`)
	b.put("pods", `{kind: Pod, apiVersion: v1, metadata: {name: web, namespace: other, labels: {app: web}}}`)
	b.put("pods", `{kind: Pod, apiVersion: v1, metadata: {name: db, namespace: default, labels: {app: db}}}`)
	shared := &kube.Shared{}
	for _, q := range []kube.Query{
		{Kind: "Pod"}, {Kind: "Pod", Namespace: "default"}, {Kind: "Pod", Namespace: "other", Name: "web"}, {Kind: "Pod", Selector: "app in (db)"},
		{Kind: "Pod", Namespace: "other", Selector: "app=db"}, {Kind: "Node", Namespace: "default", Name: "worker"}, {Kind: "Podd"}, {Kind: "Pod", Selector: "=,="},
	} {
		want, wantErr := b.client.List(t.Context(), q)
		got, err := shared.List(t.Context(), b.client, q)
		same := len(got) == len(want) && (err == nil) == (wantErr == nil)
		for i := range got {
			same = same && got[i].GetUID() == want[i].GetUID()
		}
		if !same {
			t.Errorf("%s: %d objects, %v; want %d, %v", q, len(got), err, len(want), wantErr)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, n := range []int{1, 20} {
		b.Run(fmt.Sprintf("scenarios=%d", n), func(b *testing.B) {
			all, _ := copies(b, n)
			for b.Loop() {
				verifyTogether(b, all)
			}
		})
	}
}

// fixed is a cluster of one client.
type fixed struct{ client *kube.Client }

func (f fixed) Client(context.Context) (*kube.Client, error) { return f.client, nil }
