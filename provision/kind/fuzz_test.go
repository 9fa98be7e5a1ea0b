package kind

import (
	"net/netip"
	"strings"
	"testing"
)

// FuzzReports: what kind's child says, and quotes of the engine and the nodes, never stops the one who reads it.
func FuzzReports(f *testing.F) {
	for _, text := range []string{
		"", "\n\n", `{"step":"Preparing nodes"}` + "\n" + `{"step":"Preparing nodes","ended":true}` + "\n" + `{"error":"x"}`, `{"step":7}`, "null\n", "[]\n", "{\n",
		`{"warn":"\u001b[2J"}`, strings.Repeat("{", 20000), `{"ended":true}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		heard := 0
		failure, last := readReports(strings.NewReader(text), func(r report) {
			heard++
			if r.Error != "" {
				t.Error("an error is handed on as a report")
			}
		})
		if heard > strings.Count(text, "\n")+1 {
			t.Errorf("%d reports in %q", heard, text)
		}
		if (failure != "" || last != "") && !strings.Contains(text, "{") {
			t.Errorf("%q, %q of %q", failure, last, text)
		}
	})
}

// FuzzPublished: an address is one, or the API server is nowhere.
func FuzzPublished(f *testing.F) {
	for _, text := range []string{"", "127.0.0.1:6443\n", "[::]:6443\n0.0.0.0:6443\n", "evil.example:1", "127.0.0.1:6443/../x", "127.0.0.1:99999", "user@127.0.0.1:1", "\x1b[2J"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		server, err := serverAt(text)
		if err != nil {
			return
		}
		if _, perr := netip.ParseAddrPort(strings.TrimPrefix(server, "https://")); perr != nil {
			t.Errorf("%q gives %q: %v", text, server, perr)
		}
		for name := range parsePairs(text) {
			if strings.ContainsAny(name, " \n") {
				t.Errorf("%q is no name", name)
			}
		}
	})
}
