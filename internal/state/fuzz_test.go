package state

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

func FuzzState(f *testing.F) {
	f.Add([]byte(`{"version":1,"lab":"demo","cluster":{"name":"c","api_port":6443}}`))
	f.Add([]byte(`{"version":2}`))
	f.Add([]byte(`{"version":1,"lab":"de`))
	f.Add([]byte("\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := decode(data)
		if (s == nil) == (err == nil) {
			t.Fatalf("decode = %v, %v", s, err)
		}
		if err != nil {
			return
		}
		if s.Version != Version {
			t.Fatalf("accepted version %d", s.Version)
		}
		// What was accepted survives being saved and read again.
		again, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decode(again)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if third, _ := json.Marshal(back); !bytes.Equal(third, again) {
			t.Fatalf("%s became %s", again, third)
		}
	})
}

func FuzzJournal(f *testing.F) {
	line := `{"v":1,"n":1,"id":1,"phase":"begin","time":"2026-03-01T12:00:00Z","pid":1,"verb":"x","object":"y"}` + "\n"
	f.Add([]byte(line))
	f.Add([]byte(line + `{"v":1,"n":2,"id":1,"phase":"done"}` + "\n" + `{"v":1,"n":3`))
	f.Add([]byte(line + "\n"))
	f.Add([]byte(`{"v":2}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		records, err := decodeJournal(data)
		lines := bytes.Count(data, []byte("\n"))
		if len(records) > lines || err == nil && len(records) != lines {
			t.Fatalf("%d records, %v, from %d lines", len(records), err, lines)
		}
		for i, r := range records {
			if r.N != i+1 || r.ID < 1 || r.ID > r.N || r.V != JournalVersion {
				t.Fatalf("record %d is %+v", i+1, r)
			}
		}
		// A writer that dies in its next line changes nothing about the lines before.
		end := bytes.LastIndexByte(data, '\n') + 1
		cut, err2 := decodeJournal(append(bytes.Clone(data[:end]), `{"v":1,"n"`...))
		if (err == nil) != (err2 == nil) || len(cut) != len(records) || len(cut) > 0 && !reflect.DeepEqual(cut, records) {
			t.Fatalf("half a line more: %v, %v; was %v, %v", cut, err2, records, err)
		}
	})
}
