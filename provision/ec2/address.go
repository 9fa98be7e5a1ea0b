package ec2

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"

	"github.com/labctl/labctl/internal/fault"
)

// CheckIPURL is AWS's own service that says which address a request comes from.
const CheckIPURL = "https://checkip.amazonaws.com"

// CallerNetwork asks a service such as CheckIPURL for the caller's address and returns the network that
// holds it alone. When the service does not answer the error is a fault.Refused.
func CallerNetwork(ctx context.Context, client *http.Client, url string) (netip.Prefix, error) {
	address, err := askAddress(ctx, client, url)
	if err != nil {
		return netip.Prefix{}, fault.New(fault.Refused, "finding out which address SSH will come from: %w", err).
			WithNext("Set ssh_from = [\"ADDRESS/32\"] in the host block, or LABCTL_SSH_FROM.")
	}
	return netip.PrefixFrom(address, address.BitLen()), nil
}

func askAddress(ctx context.Context, client *http.Client, url string) (netip.Addr, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return netip.Addr{}, err
	}
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
		return netip.Addr{}, fmt.Errorf("%s answers %s", url, resp.Status)
	}
	address, err := netip.ParseAddr(strings.TrimSpace(string(body)))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%s answers %q: %w", url, strings.TrimSpace(string(body)), err)
	}
	// A captive portal or a proxy in between may answer with what is of no use here.
	if address = address.Unmap(); address.IsLoopback() || address.IsPrivate() || address.IsUnspecified() || address.IsLinkLocalUnicast() {
		return netip.Addr{}, fmt.Errorf("%s answers %s, which is no public address", url, address)
	}
	return address, nil
}
