package ec2

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
)

// answering is a server that answers everything alike, and its address.
func answering(t *testing.T, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
	t.Cleanup(server.Close)
	return server.URL
}

func TestCallerNetwork(t *testing.T) {
	for body, want := range map[string]string{
		"203.0.113.7\n": "203.0.113.7/32", "2001:db8::7": "2001:db8::7/128", "<html>log in</html>": "", "10.0.0.1": "", "127.0.0.1": "", "": "",
	} {
		got, proxied, err := CallerNetwork(t.Context(), answering(t, body), nil)
		switch {
		case want == "" && (err == nil || clierr.ClassOf(err) != clierr.Refused || !strings.Contains(clierr.NextOf(err), "LABCTL_SSH_FROM")):
			t.Errorf("%q: %v, %v; want it refused, with a cure", body, got, err)
		case want != "" && (err != nil || got.String() != want || proxied):
			t.Errorf("%q: %v, %v; want %s", body, got, err, want)
		}
	}
}

// TestCallerNetworkByProxy: SSH goes by no proxy, so a proxy's address counts only where there is no other answer,
// and it is said. Its password never is.
func TestCallerNetworkByProxy(t *testing.T) {
	const closed = "http://127.0.0.1:1"
	parse := func(text string) *url.URL {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword("jane", "s3cret")
		return u
	}
	proxy := parse(answering(t, "198.51.100.1"))
	got, proxied, err := CallerNetwork(t.Context(), answering(t, "203.0.113.7"), proxy)
	if err != nil || proxied || got.String() != "203.0.113.7/32" {
		t.Errorf("with a way past the proxy: %v, %v, %v; want the address that SSH comes from", got, proxied, err)
	}
	got, proxied, err = CallerNetwork(t.Context(), closed, proxy)
	if err != nil || !proxied || got.String() != "198.51.100.1/32" {
		t.Errorf("through the proxy alone: %v, %v, %v; want its address, and that it is that", got, proxied, err)
	}
	_, _, err = CallerNetwork(t.Context(), closed, parse(closed))
	if clierr.ClassOf(err) != clierr.Refused || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("without either: %v", err)
	}
}

func TestRedact(t *testing.T) {
	for text, want := range map[string]string{
		`invalid proxy address "http://jane:s3/cret@proxy:3128": bad`: `invalid proxy address "[redacted]@proxy:3128": bad`,
		"proxyconnect tcp: dial jane:s3cret@proxy:3128: no":           "proxyconnect tcp: dial [redacted]@proxy:3128: no",
		"dial tcp 10.0.0.1:443: connect: connection refused":          "dial tcp 10.0.0.1:443: connect: connection refused",
		`Post "https://sts.eu-west-1.amazonaws.com/": EOF`:            `Post "https://sts.eu-west-1.amazonaws.com/": EOF`,
		"ask jane@example.org: no":                                    "ask jane@example.org: no",
	} {
		if got := redact(text); got != want {
			t.Errorf("%s: %q; want %q", text, got, want)
		}
	}
}
