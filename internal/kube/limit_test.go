package kube_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/labctl/labctl/internal/kube"
)

// endless answers lists and watches with a text that has no end, as whoever owns the node can.
func endless(t *testing.T, sent *atomic.Int64, list string) *rest.Config {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		begin := `{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"`
		if r.URL.Query().Get("watch") != "true" {
			if list != "" {
				fmt.Fprint(w, list)
				return
			}
			begin = `{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"`
		}
		fmt.Fprint(w, begin)
		for chunk := strings.Repeat("x]}\\\"", 20<<10); r.Context().Err() == nil && sent.Load() < 10<<30; {
			n, err := io.WriteString(w, chunk)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	return &rest.Config{Host: server.URL}
}

func TestAnswersWithoutEndAreNotKept(t *testing.T) {
	for name, list := range map[string]string{"list": "", "watch": `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}`} {
		t.Run(name, func(t *testing.T) {
			var sent atomic.Int64
			c, err := kube.New(endless(t, &sent, list), kube.Options{})
			if err != nil {
				t.Fatal(err)
			}
			most := uint64(0)
			sample := func() {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapInuse)
			}
			var last error
			err = c.Until(within(t, 20*time.Second), []kube.Query{{Kind: "Pod"}}, func(w kube.Snapshot) kube.Decision {
				sample()
				last = w.Err()
				return kube.Decision{Done: last != nil, Wake: 10 * time.Millisecond}
			})
			if err != nil || !strings.Contains(fmt.Sprint(last), "MiB, and was not read further") {
				t.Errorf("%v, last seen: %v", err, last)
			}
			if most > 200<<20 {
				t.Errorf("%d MiB of memory in use after %d MiB", most>>20, sent.Load()>>20)
			}
		})
	}
}

// A watch may last for as long as it likes; only one event may not.
func TestManyEventsAreNoLongOne(t *testing.T) {
	event, err := json.Marshal(map[string]string{"type": "BOOKMARK", "x": strings.Repeat("}\"\\", 300<<10)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 40 {
			_, _ = w.Write(event)
		}
	}))
	defer server.Close()
	resp, err := kube.Limited(http.DefaultTransport, server.URL+"/api/v1/pods?watch=true")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != int64(40*len(event)) {
		t.Errorf("%d of %d bytes, %v", n, 40*len(event), err)
	}
}
