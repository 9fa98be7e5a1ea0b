package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// syncRoutes makes the routes to other nodes' pods exactly the wanted ones. A route of an earlier node is taken away; one
// that is right is left alone. Routes without a gateway are the ptp plugin's, one per pod here, and none of its business.
func (a Agent) syncRoutes(wanted map[netip.Prefix]netip.Addr) error {
	present, err := netlink.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return fmt.Errorf("listing routes: %w", err)
	}
	right := map[netip.Prefix]bool{}
	var problems []error
	for _, route := range present {
		subnet, ok := prefix(route.Dst)
		if !ok || route.Gw == nil || !a.isPodSubnet(subnet) {
			continue
		}
		via, _ := netip.AddrFromSlice(route.Gw)
		if wanted[subnet] == via.Unmap() {
			right[subnet] = true
			continue
		}
		if _, replaced := wanted[subnet]; replaced {
			continue
		}
		if err := netlink.RouteDel(&route); err != nil && !errors.Is(err, unix.ESRCH) {
			problems = append(problems, fmt.Errorf("removing the route to %s via %s: %w", subnet, via, err))
			continue
		}
		a.Log.Info("route removed", "to", subnet, "via", via)
	}
	for subnet, via := range wanted {
		if right[subnet] {
			continue
		}
		route := netlink.Route{Dst: ipNet(subnet), Gw: via.AsSlice()}
		if err := netlink.RouteReplace(&route); err != nil {
			problems = append(problems, fmt.Errorf("adding a route to %s via %s: %w", subnet, via, err))
			continue
		}
		a.Log.Info("route added", "to", subnet, "via", via)
	}
	return errors.Join(problems...)
}

func (a Agent) isPodSubnet(subnet netip.Prefix) bool {
	for _, all := range a.PodSubnets {
		if all.Bits() <= subnet.Bits() && all.Contains(subnet.Addr()) {
			return true
		}
	}
	return false
}

// mtu is that of the interface that holds the node's address: a pod's packets leave through it unchanged, so a larger
// one in the pod would lose packets. 0 leaves it to the kernel.
func mtu(address netip.Addr) int {
	links, err := netlink.LinkList()
	if err != nil {
		return 0
	}
	for _, link := range links {
		addresses, err := netlink.AddrList(link, netlink.FAMILY_ALL)
		if err != nil {
			continue
		}
		for _, has := range addresses {
			if ip, ok := netip.AddrFromSlice(has.IP); ok && ip.Unmap() == address {
				return link.Attrs().MTU
			}
		}
	}
	return 0
}

func prefix(network *net.IPNet) (netip.Prefix, bool) {
	if network == nil { // the default route
		return netip.Prefix{}, false
	}
	ip, ok := netip.AddrFromSlice(network.IP)
	bits, _ := network.Mask.Size()
	return netip.PrefixFrom(ip.Unmap(), bits), ok
}

func ipNet(subnet netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: subnet.Addr().AsSlice(), Mask: net.CIDRMask(subnet.Bits(), subnet.Addr().BitLen())}
}
