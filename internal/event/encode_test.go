package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

// golden holds each type with all of its fields and with none: the public form.
var golden = []struct {
	event Event
	line  string
}{
	{Started{"cluster.kind.c", Apply, 25 * time.Second}, `"type":"started","addr":"cluster.kind.c","verb":"apply","expect_ns":25000000000}`},
	{Started{}, `"type":"started","addr":"","verb":""}`},
	{Progress{"cluster.kind.c", "a <b> & \"c\"\n", time.Second}, `"type":"progress","addr":"cluster.kind.c","step":"a <b> & \"c\"\n","expect_ns":1000000000}`},
	{Progress{}, `"type":"progress","addr":"","step":""}`},
	{Milestone{"cluster.kind.c", "api"}, `"type":"milestone","addr":"cluster.kind.c","name":"api"}`},
	{Milestone{}, `"type":"milestone","addr":"","name":""}`},
	{Finished{"cluster.kind.c", Destroy, Failed, "2 of 3", "no space", time.Millisecond}, `"type":"finished","addr":"cluster.kind.c","verb":"destroy","result":"failed","detail":"2 of 3","error":"no space","elapsed_ns":1000000}`},
	{Finished{}, `"type":"finished","addr":"","verb":"","result":"","elapsed_ns":0}`},
	{Notice{"mirror.registry", "substitute images", true}, `"type":"notice","addr":"mirror.registry","text":"substitute images","warning":true}`},
	{Notice{}, `"type":"notice","text":""}`},
}

func TestNDJSONGolden(t *testing.T) {
	at := time.Date(2026, 3, 1, 13, 0, 0, 5000, time.FixedZone("", 3600))
	var out bytes.Buffer
	sink := NewNDJSON(&out, func() time.Time { return at })
	var want strings.Builder
	for _, g := range golden {
		sink.Emit(g.event)
		want.WriteString(`{"v":1,"time":"2026-03-01T12:00:00.000005Z",` + g.line + "\n")
	}
	if out.String() != want.String() {
		t.Errorf("wrote\n%s\nwant\n%s", out.String(), want.String())
	}
}

func TestNDJSONFromManyGoroutines(t *testing.T) {
	var out bytes.Buffer
	sink := NewNDJSON(&out, time.Now)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				sink.Emit(Progress{Addr: "a", Step: "b"})
			}
		})
	}
	wg.Wait()
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Fatalf("not JSON: %s", line)
		}
	}
	if len(lines) != 400 {
		t.Errorf("%d lines; want 400", len(lines))
	}
}

type brokenPipe struct{ writes int }

func (b *brokenPipe) Write([]byte) (int, error) { b.writes++; return 0, errors.New("broken pipe") }

func TestNDJSONStopsWhenNobodyReads(t *testing.T) {
	var pipe brokenPipe
	sink := NewNDJSON(&pipe, time.Now)
	sink.Emit(Notice{})
	sink.Emit(Notice{})
	if pipe.writes != 1 {
		t.Errorf("%d writes; want none after the first failure", pipe.writes)
	}
}

func TestRecorder(t *testing.T) {
	var r Recorder
	r.Emit(Milestone{"x", "api"})
	r.Emit(Notice{Text: "n"})
	r.Emit(Milestone{"y", "api"})
	if got := r.Events(); len(got) != 3 || got[1] != (Notice{Text: "n"}) {
		t.Errorf("recorded %v", got)
	}
	if got := Of[Milestone](&r); !reflect.DeepEqual(got, []Milestone{{"x", "api"}, {"y", "api"}}) {
		t.Errorf("milestones %v", got)
	}
}
