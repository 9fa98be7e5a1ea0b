package ec2

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/labctl/labctl/internal/clierr"
)

// CheckIPURL is AWS's own service that says which address a request comes from.
const CheckIPURL = "https://checkip.amazonaws.com"

// The bounds of a question for the caller's address.
const (
	directTimeout = 5 * time.Second
	proxyTimeout  = 10 * time.Second
)

// CallerNetwork asks a service such as CheckIPURL for the caller's address and returns the network that
// holds it alone. SSH goes by no proxy, so the first question does not either. When it is not answered and there
// is a proxy, that is asked through; proxied says so, since the address may then be the proxy's. The error is
// a clierr.Refused.
func CallerNetwork(ctx context.Context, service string, proxy *url.URL) (network netip.Prefix, proxied bool, err error) {
	address, err := askAddress(ctx, service, nil, directTimeout)
	if err != nil && proxy != nil && ctx.Err() == nil {
		proxied = true
		address, err = askAddress(ctx, service, proxy, proxyTimeout)
	}
	if err == nil {
		return netip.PrefixFrom(address, address.BitLen()), proxied, nil
	}
	next := "Set ssh_from = [\"ADDRESS/32\"] in the host block, or LABCTL_SSH_FROM."
	if !hasIPv4(ctx) {
		next = onlyIPv4 + " This machine has no way to any IPv4 address."
	}
	return netip.Prefix{}, false, clierr.New(clierr.Refused, "finding out which address SSH will come from: %s", redact(err.Error())).WithNext("%s", next)
}

// onlyIPv4 is said to callers who have IPv6 alone.
const onlyIPv4 = "The host is reached at an IPv4 address: use a network that has IPv4 as well (or a VPN that gives it), and name its address in ssh_from or LABCTL_SSH_FROM."

// hasIPv4 tells whether this machine has a route to the IPv4 internet. Nothing is sent.
func hasIPv4(ctx context.Context) bool {
	conn, err := new(net.Dialer).DialContext(ctx, "udp4", "192.0.2.1:9")
	if err == nil {
		conn.Close()
	}
	return err == nil
}

func askAddress(ctx context.Context, service string, proxy *url.URL, limit time.Duration) (netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, service, nil)
	if err != nil {
		return netip.Addr{}, err
	}
	transport := &http.Transport{Proxy: http.ProxyURL(proxy)}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	resp, err := client.Do(req)
	if err != nil {
		return netip.Addr{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 256))
	if err != nil {
		return netip.Addr{}, err
	}
	if resp.StatusCode != http.StatusOK {
		return netip.Addr{}, fmt.Errorf("%s answers %s", service, resp.Status)
	}
	address, err := netip.ParseAddr(strings.TrimSpace(string(body)))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%s answers %q: %w", service, strings.TrimSpace(string(body)), err)
	}
	// A captive portal or a proxy in between may answer with what is of no use here.
	if address = address.Unmap(); address.IsLoopback() || address.IsPrivate() || address.IsUnspecified() || address.IsLinkLocalUnicast() {
		return netip.Addr{}, fmt.Errorf("%s answers %s, which is no public address", service, address)
	}
	return address, nil
}
