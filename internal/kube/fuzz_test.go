package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzDiscovery: what a server says that it serves gives kinds that can be asked for, or none.
func FuzzDiscovery(f *testing.F) {
	for _, text := range []string{
		`{"items":[{"metadata":{"name":"apps"},"versions":[{"version":"v1","resources":[{"resource":"deployments","responseKind":{"kind":"Deployment"},"scope":"Namespaced","verbs":["list"]}]}]}]}`,
		`{"items":null}`, `{"items":[{}]}`, `{"items":[{"versions":[{"resources":[{"verbs":["list"]}]}]}]}`, `{"items":7}`, `[]`, `null`, ``,
		`{"items":[{"metadata":{"name":"../.."},"versions":[{"version":"..","resources":[{"resource":"../../x","verbs":["list"],"scope":"Cluster"}]}]}]}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var list discoveryList
		if json.Unmarshal([]byte(text), &list) != nil {
			return
		}
		table := newKindTable()
		var served []Kind
		for _, group := range list.Items {
			served = append(served, group.kinds()...)
		}
		table.learn(slices.Clone(served))
		for _, k := range served {
			_, _ = table.find(k.Name) // ambiguous is an answer as well
		}
	})
}

// FuzzEvents: a stream is handed on as it is, however it is cut into reads, up to the value that is too long.
func FuzzEvents(f *testing.F) {
	for _, text := range []string{
		`{"type":"ADDED"}{"type":"DELETED"}`, `{"a":"}{\"\\"}`, "[[]]{}", strings.Repeat("x", 100), `"`, `{"a":"` + strings.Repeat("}", 80), "}}}}{{{{",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		const limit = 64
		read := func(from io.Reader) (string, error) {
			var out bytes.Buffer
			_, err := io.Copy(&out, &eventReader{from: from, limit: limit, what: "an event"})
			return out.String(), err
		}
		whole, err := read(strings.NewReader(text))
		bytewise, berr := read(iotest.OneByteReader(strings.NewReader(text)))
		if whole != bytewise || (err == nil) != (berr == nil) {
			t.Errorf("at once %d bytes, %v; byte by byte %d, %v", len(whole), err, len(bytewise), berr)
		}
		if !strings.HasPrefix(text, whole) || err == nil && whole != text {
			t.Errorf("%d of %d bytes without an error, or others", len(whole), len(text))
		}
		if err != nil && (errors.Is(err, io.EOF) || len(text) <= limit) {
			t.Errorf("%d bytes are refused: %v", len(text), err)
		}
	})
}
