package kube_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/kube/kubetest"
)

// names are those of an update's objects.
func names(u kube.Update) string {
	var all []string
	for _, o := range u.Objects {
		all = append(all, o.GetName())
	}
	return strings.Join(all, " ")
}

// follow watches the pods of namespace default until the test ends.
func follow(t *testing.T, s *kubetest.Server) <-chan kube.Update {
	ctx, cancel := context.WithCancel(t.Context())
	updates := make(chan kube.Update, 100)
	ended := make(chan struct{})
	c := connect(t, s)
	go func() {
		defer close(ended)
		_ = c.Watch(ctx, kube.Query{Kind: "Pod", Namespace: "default"}, func(u kube.Update) { updates <- u })
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return updates
}

// expect waits for an update with exactly these pods.
func expect(t *testing.T, updates <-chan kube.Update, want string) {
	t.Helper()
	deadline := time.After(5 * time.Second)
	last := "nothing"
	for {
		select {
		case u := <-updates:
			last = fmt.Sprintf("%q, err %v", names(u), u.Err)
			if u.Synced && u.Err == nil && names(u) == want {
				return
			}
		case <-deadline:
			t.Fatalf("no update with %q; last %s", want, last)
		}
	}
}

func TestWatchDeliversTheWholeSetOnEveryChange(t *testing.T) {
	s := kubetest.New(t)
	s.Put("pods", pod("b", nil))
	updates := follow(t, s)
	expect(t, updates, "b")
	s.Put("pods", pod("a", nil))
	expect(t, updates, "a b")
	s.Remove("pods", pod("b", nil))
	expect(t, updates, "a")
}

func TestWatchOutlivesWhatServersDo(t *testing.T) {
	for name, trouble := range map[string]func(*kubetest.Server){
		"closed":  func(s *kubetest.Server) { s.CutWatches() },
		"expired": func(s *kubetest.Server) { s.Expire() },
		"away for a while": func(s *kubetest.Server) {
			tries := 0
			s.Fail(func(*http.Request) (int, string) {
				if tries++; tries < 4 {
					return 503, "leader changed"
				}
				return 0, ""
			})
			s.CutWatches()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := kubetest.New(t)
			s.Put("pods", pod("a", nil))
			s.Put("pods", pod("b", nil))
			updates := follow(t, s)
			expect(t, updates, "a b")
			trouble(s)
			// Both what comes and what goes meanwhile must be seen.
			s.Remove("pods", pod("a", nil))
			s.Put("pods", pod("c", nil))
			expect(t, updates, "b c")
		})
	}
}

func TestWatchTellsThatTheServerIsAway(t *testing.T) {
	s := kubetest.New(t)
	s.Put("pods", pod("a", nil))
	updates := follow(t, s)
	expect(t, updates, "a")
	s.Fail(func(*http.Request) (int, string) { return 503, "etcdserver: request timed out" })
	s.CutWatches()
	for u := range updates {
		if u.Err != nil {
			if names(u) != "a" || !kube.Unreachable(u.Err) {
				t.Errorf("got %q with %v, want the last objects and an error that says unreachable", names(u), u.Err)
			}
			return
		}
	}
}

func TestUntilSeesAllKindsTogether(t *testing.T) {
	s := kubetest.New(t)
	pods, nodes, unknown := kube.Query{Kind: "Pod", Namespace: "default"}, kube.Query{Kind: "Node"}, kube.Query{Kind: "Gadget"}
	var seen []string
	done := make(chan error, 1)
	go func() {
		done <- connect(t, s).Until(within(t, 10*time.Second), []kube.Query{pods, nodes, pods, unknown}, func(w kube.Snapshot) kube.Decision {
			if !w.Synced() {
				return kube.Decision{}
			}
			var kind *kube.KindError
			if !errors.As(w[unknown].Err, &kind) {
				t.Errorf("the unknown kind says %v", w[unknown].Err)
			}
			seen = append(seen, names(w[pods])+"/"+names(w[nodes]))
			return kube.Decision{Done: slices.Contains(seen, "a/n")}
		})
	}()
	s.Put("pods", pod("a", nil))
	s.Put("nodes", node("n", "True", ""))
	if err := <-done; err != nil {
		t.Fatalf("%v; saw %v", err, seen)
	}
}

func TestUntilWakesWithoutAChange(t *testing.T) {
	calls := 0
	err := connect(t, kubetest.New(t)).Until(within(t, 5*time.Second), []kube.Query{{Kind: "Pod"}}, func(w kube.Snapshot) kube.Decision {
		calls++
		return kube.Decision{Done: calls == 5, Wake: time.Millisecond}
	})
	if err != nil {
		t.Errorf("%v after %d calls", err, calls)
	}
}

func TestUntilEndsWithItsContext(t *testing.T) {
	err := connect(t, kubetest.New(t)).Until(within(t, 50*time.Millisecond), []kube.Query{{Kind: "Pod"}}, func(kube.Snapshot) kube.Decision { return kube.Decision{} })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err %v", err)
	}
}

func TestRetryOnlyWhatIsTransient(t *testing.T) {
	calls := 0
	permanent := errors.New("no")
	err := kube.Retry(within(t, time.Second), kube.Starting, func(context.Context) error { calls++; return permanent })
	if !errors.Is(err, permanent) || calls != 1 {
		t.Errorf("err %v after %d calls", err, calls)
	}
	calls = 0
	err = kube.Retry(within(t, 5*time.Second), kube.Starting, func(context.Context) error {
		if calls++; calls < 3 {
			return context.DeadlineExceeded
		}
		return nil
	})
	if err != nil || calls != 3 {
		t.Errorf("err %v after %d calls", err, calls)
	}
}

// A server that ends every watch at once is not asked as fast as it answers.
func TestWatchesThatAreEndedAtOnce(t *testing.T) {
	lists := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("watch") == "true" {
			return
		}
		lists++
		fmt.Fprint(w, `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}`)
	}))
	defer server.Close()
	c, err := kube.New(&rest.Config{Host: server.URL}, kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = c.Watch(within(t, time.Second), kube.Query{Kind: "Pod"}, func(kube.Update) {})
	if !errors.Is(err, context.DeadlineExceeded) || lists < 2 || lists > 10 {
		t.Errorf("%v after %d lists in a second", err, lists)
	}
}
