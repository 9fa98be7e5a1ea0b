package network

import (
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// TestSyncRoutes works on a real route table: that of a network namespace of its own, which ends with the thread.
func TestSyncRoutes(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("making a network namespace needs root")
	}
	runtime.LockOSThread() // never unlocked: the thread must not serve another goroutine afterwards
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("making a network namespace: %v", err)
	}
	// A pair as the engine makes for a container, with both ends here.
	eth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "eth0", MTU: 1400}, PeerName: "engine"}
	check(t, netlink.LinkAdd(eth))
	engine, err := netlink.LinkByName("engine")
	check(t, err)
	check(t, netlink.LinkSetUp(engine))
	address, err := netlink.ParseAddr("172.18.0.4/16")
	check(t, err)
	check(t, netlink.AddrAdd(eth, address))
	check(t, netlink.LinkSetUp(eth))
	pod := netip.MustParsePrefix("10.244.1.2/32")
	check(t, netlink.RouteAdd(&netlink.Route{LinkIndex: eth.Attrs().Index, Dst: ipNet(pod), Scope: netlink.SCOPE_HOST}))
	other := netip.MustParsePrefix("192.168.9.0/24")
	check(t, netlink.RouteAdd(&netlink.Route{Dst: ipNet(other), Gw: net.ParseIP("172.18.0.9")}))

	agent := Agent{PodSubnets: []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")}, Log: slog.New(slog.DiscardHandler)}
	route := func(subnet, via string) map[netip.Prefix]netip.Addr {
		return map[netip.Prefix]netip.Addr{netip.MustParsePrefix(subnet): netip.MustParseAddr(via)}
	}
	for _, step := range []struct {
		name   string
		wanted map[netip.Prefix]netip.Addr
	}{
		{"a node appears", route("10.244.2.0/24", "172.18.0.2")},
		{"nothing changes", route("10.244.2.0/24", "172.18.0.2")},
		{"its address changes", route("10.244.2.0/24", "172.18.0.3")},
		{"another takes its place", route("10.244.5.0/24", "172.18.0.3")},
		{"it goes", nil},
	} {
		if err := agent.syncRoutes(step.wanted); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		got := gateways(t)
		if got[other] != netip.MustParseAddr("172.18.0.9") {
			t.Errorf("%s: the route of somebody else is gone", step.name)
		}
		delete(got, other)
		if _, ok := got[pod]; !ok {
			t.Errorf("%s: the route to a pod is gone", step.name)
		}
		delete(got, pod)
		if len(got) != len(step.wanted) {
			t.Errorf("%s: got %v, want %v", step.name, got, step.wanted)
		}
		for subnet, via := range step.wanted {
			if got[subnet] != via {
				t.Errorf("%s: %s goes via %v, want %v", step.name, subnet, got[subnet], via)
			}
		}
	}
	if got := mtu(netip.MustParseAddr("172.18.0.4")); got != 1400 {
		t.Errorf("mtu is %d, want eth0's 1400", got)
	}
}

func gateways(t *testing.T) map[netip.Prefix]netip.Addr {
	t.Helper()
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	check(t, err)
	found := map[netip.Prefix]netip.Addr{}
	for _, route := range routes {
		subnet, ok := prefix(route.Dst)
		if ok && route.Src == nil { // the link's own route has a source
			via, _ := netip.AddrFromSlice(route.Gw)
			found[subnet] = via.Unmap()
		}
	}
	return found
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
