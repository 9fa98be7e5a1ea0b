package kube_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/labctl/labctl/internal/kube"
)

// TestRedirectsAreNotFollowed: whoever answers in the API server's place could have labctl's requests, and
// with them its identity, brought anywhere that this machine reaches.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var visits atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	t.Cleanup(other.Close)
	for _, code := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, code) }))
		t.Cleanup(server.Close)
		c, err := kube.New(&rest.Config{Host: server.URL}, kube.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "not followed") {
			t.Errorf("%d: %v", code, err)
		}
		if _, err := c.List(t.Context(), kube.Query{Kind: "Pod"}); !kube.Unreachable(err) {
			t.Errorf("%d: listing pods: %v; want it to count as no answer", code, err)
		}
	}
	if n := visits.Load(); n > 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
}

// TestRefusalsAreCut: a refusal of any length costs no more than its beginning.
func TestRefusalsAreCut(t *testing.T) {
	var sent atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		for chunk := strings.Repeat("A", 64<<10); sent.Load() < 1<<30; {
			n, err := io.WriteString(w, chunk)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	c, err := kube.New(&rest.Config{Host: server.URL}, kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.List(t.Context(), kube.Query{Kind: "Pod"}); !kube.Unreachable(err) {
		t.Errorf("%v; want it to count as no answer", err)
	}
	if n := sent.Load(); n > 16<<20 {
		t.Errorf("%d MiB were read of it", n>>20)
	}
}
