package labfile

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
)

// The most that networks from which SSH comes may hold together: one /8 of IPv4 (16 million addresses) or one
// /19 of IPv6. The largest providers have that much, so that more is no place that anybody works from, but the
// internet in pieces.
const (
	widestIPv4 = 8
	widestIPv6 = 19
)

// Wide says how much of the internet the networks let in together, as "0.0.0.0/1, 128.0.0.0/1: together every
// IPv4 address there is"; it is empty when that is within bounds. Overlaps count once.
func Wide(networks []netip.Prefix) string {
	var v4, v6 []netip.Prefix
	for _, n := range networks {
		switch n = Plain(n); {
		case !n.IsValid():
		case n.Addr().Is4():
			v4 = append(v4, n)
		default:
			v6 = append(v6, n)
		}
	}
	var said []string
	for _, family := range []struct {
		name   string
		all    []netip.Prefix
		widest int
	}{{"IPv4", v4, widestIPv4}, {"IPv6", v6, widestIPv6}} {
		all := merged(family.all)
		share := 0.0
		var names []string
		for _, n := range all {
			share += math.Pow(2, -float64(n.Bits()))
			names = append(names, n.String())
		}
		if share <= math.Pow(2, -float64(family.widest)) {
			continue
		}
		together := ""
		if len(names) > 1 {
			together = "together "
		}
		extent := fmt.Sprintf("%smore %s addresses than a /%d holds", together, family.name, family.widest)
		if share == 1 {
			extent = fmt.Sprintf("%severy %s address there is", together, family.name)
		}
		said = append(said, fmt.Sprintf("%s: %s", strings.Join(names, ", "), extent))
	}
	return strings.Join(said, "; ")
}

// Plain writes a network of IPv4 addresses that are mapped into IPv6 (::ffff:0:0/96) as what it is.
func Plain(n netip.Prefix) netip.Prefix {
	const mapped = 96
	if n.Addr().Is4In6() && n.Bits() >= mapped {
		n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-mapped)
	}
	return n.Masked()
}

// merged leaves out what lies within another network. Networks overlap in no other way.
func merged(all []netip.Prefix) []netip.Prefix {
	slices.SortFunc(all, func(a, b netip.Prefix) int { return a.Bits() - b.Bits() })
	var kept []netip.Prefix
	for _, n := range all {
		if !slices.ContainsFunc(kept, n.Overlaps) {
			kept = append(kept, n)
		}
	}
	return kept
}
