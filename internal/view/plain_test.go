package view

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labctl/labctl/internal/event"
)

// buffer is a bytes.Buffer that goroutines may share.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestPlainGolden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out buffer
		v := New(Plain, &out, Options{})
		v.Emit(event.Notice{Text: "using day10.hcl of this folder"})
		v.Emit(event.Started{Addr: "host.local", Verb: event.Observe})
		v.Emit(event.Finished{Addr: "host.local", Verb: event.Observe, Result: event.Unchanged})
		v.Emit(event.Started{Addr: "mirror", Verb: event.Observe})
		v.Emit(event.Finished{Addr: "mirror", Verb: event.Observe, Result: event.Failed, Error: "no engine", Elapsed: time.Second})
		v.Emit(event.Started{Addr: "cluster.kind.c", Verb: event.Apply, Expect: 25 * time.Second})
		sleep(2 * time.Second)
		v.Emit(event.Progress{Addr: "cluster.kind.c", Step: "kubeadm init", Expect: 30 * time.Second})
		v.Emit(event.Started{Addr: "scenario.x", Verb: event.Destroy})
		sleep(9 * time.Second)
		v.Emit(event.Finished{Addr: "scenario.x", Verb: event.Destroy, Result: event.Done, Elapsed: 9 * time.Second})
		sleep(14 * time.Second) // the step has run for 23 s
		v.Emit(event.Milestone{Addr: "cluster.kind.c", Name: "api"})
		v.Emit(event.Milestone{Addr: "unheard.of", Name: "api"})
		v.Emit(event.Progress{Addr: "cluster.kind.c", Step: "joining\x1b[2J workers"})
		sleep(125 * time.Second)
		v.Emit(event.Notice{Addr: "mirror", Text: "a substitute image\nthat says so\x07\n", Warning: true})
		v.Emit(event.Finished{Addr: "cluster.kind.c", Verb: event.Apply, Result: event.Done, Detail: "3 nodes ready", Elapsed: 150 * time.Second})
		v.Emit(event.Finished{Addr: "scenario.y", Verb: event.Apply, Result: event.Skipped, Detail: "cluster.kind.c failed"})
		v.Emit(event.Finished{Addr: "scenario.z", Verb: event.Destroy, Result: event.Unchanged, Elapsed: 30 * time.Millisecond})
		v.Emit(event.Finished{Addr: "scenario.a", Verb: event.Apply, Result: event.Failed, Detail: "1 of 2", Error: "exit 1\n  no\nspace", Elapsed: time.Second})
		sleep(time.Hour) // nothing is in work any more
		v.Close()
		v.Close()
		v.Emit(event.Notice{Text: "too late"})
		want := `
note: using day10.hcl of this folder
mirror: failed: no engine (1.0s)
cluster.kind.c: setting up (usually ~25s)
scenario.x: removing
scenario.x: removed (9.0s)
still working: cluster.kind.c: kubeadm init (10s of ~30s)
still working: cluster.kind.c: kubeadm init (20s of ~30s)
cluster.kind.c: reached api after 25s
unheard.of: reached api
still working: cluster.kind.c: joining\x1b[2J workers (10s)
still working: cluster.kind.c: joining\x1b[2J workers (20s)
still working: cluster.kind.c: joining\x1b[2J workers (30s)
still working: cluster.kind.c: joining\x1b[2J workers (40s)
still working: cluster.kind.c: joining\x1b[2J workers (50s)
still working: cluster.kind.c: joining\x1b[2J workers (1m00s)
still working: cluster.kind.c: joining\x1b[2J workers (1m30s)
still working: cluster.kind.c: joining\x1b[2J workers (2m00s)
warning: mirror: a substitute image
         that says so\x07
cluster.kind.c: done: 3 nodes ready (2m30s)
scenario.y: skipped: cluster.kind.c failed
scenario.z: nothing there (0.0s)
scenario.a: failed: 1 of 2; exit 1 no space (1.0s)
`
		if got := out.String(); got != want[1:] {
			t.Errorf("wrote\n%s\nwant\n%s", got, want)
		}
		if strings.ContainsAny(out.String(), "\x1b\r\x07") {
			t.Error("there are control characters in it")
		}
	})
}

func TestNDJSONView(t *testing.T) {
	var out bytes.Buffer
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	v := New(NDJSON, &out, Options{Now: func() time.Time { return at }})
	v.Emit(event.Milestone{Addr: "a", Name: "api"})
	v.Close()
	want := `{"v":1,"time":"2026-03-01T12:00:00Z","type":"milestone","addr":"a","name":"api"}` + "\n"
	if out.String() != want {
		t.Errorf("wrote %s; want %s", out.String(), want)
	}
}

func TestModeFor(t *testing.T) {
	for _, c := range []struct {
		terminal bool
		term     string
		want     Mode
	}{{true, "xterm-256color", TTY}, {true, "dumb", Plain}, {true, "", Plain}, {false, "xterm", Plain}} {
		if got := ModeFor(c.terminal, func(string) string { return c.term }); got != c.want {
			t.Errorf("ModeFor(%t, TERM=%s) = %s; want %s", c.terminal, c.term, got, c.want)
		}
	}
}

func TestViewsFromManyGoroutines(t *testing.T) {
	for _, mode := range []Mode{TTY, Plain, NDJSON} {
		var out buffer
		v := New(mode, &out, Options{})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 50 {
					v.Emit(event.Started{Addr: "a", Verb: event.Apply})
					v.Emit(event.Progress{Addr: "a", Step: "s"})
					v.Emit(event.Finished{Addr: "a", Verb: event.Apply, Result: event.Done})
				}
			})
		}
		wg.Wait()
		v.Close()
		if out.String() == "" {
			t.Errorf("%s wrote nothing", mode)
		}
	}
}
