package labfile

import (
	"net/netip"
	"strings"
	"testing"
)

func TestWide(t *testing.T) {
	for networks, want := range map[string]string{
		"":                                 "",
		"203.0.113.7/32":                   "",
		"9.0.0.0/8":                        "",
		"9.0.0.0/8 9.1.0.0/16":             "",
		"9.0.0.0/9 9.128.0.0/9":            "",
		"9.0.0.0/8 10.0.0.1/32":            "9.0.0.0/8, 10.0.0.1/32: together more IPv4 addresses than a /8 holds",
		"8.0.0.0/7":                        "8.0.0.0/7: more IPv4 addresses than a /8 holds",
		"0.0.0.0/0":                        "0.0.0.0/0: every IPv4 address there is",
		"0.0.0.0/0 1.2.3.4/32":             "0.0.0.0/0: every IPv4 address there is",
		"128.0.0.0/1 0.0.0.0/1":            "128.0.0.0/1, 0.0.0.0/1: together every IPv4 address there is",
		"128.0.0.0/1 0.0.0.0/2 64.0.0.0/2": "128.0.0.0/1, 0.0.0.0/2, 64.0.0.0/2: together every IPv4 address there is",
		"::ffff:0:0/96":                    "0.0.0.0/0: every IPv4 address there is",
		"2003::/19":                        "",
		"2000::/18":                        "2000::/18: more IPv6 addresses than a /19 holds",
		"::/1 8000::/1":                    "::/1, 8000::/1: together every IPv6 address there is",
		"9.0.0.0/8 2003::/19":              "",
		"0.0.0.0/0 ::/0":                   "0.0.0.0/0: every IPv4 address there is; ::/0: every IPv6 address there is",
	} {
		var all []netip.Prefix
		for _, text := range strings.Fields(networks) {
			all = append(all, netip.MustParsePrefix(text))
		}
		if got := Wide(all); got != want {
			t.Errorf("%s: %q; want %q", networks, got, want)
		}
	}
}
