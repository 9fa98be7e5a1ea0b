package cli

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/labctl/labctl/internal/fault"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision/ec2"
)

// sshFromEnv holds networks that SSH comes from, separated by commas, for lab files that name none.
const sshFromEnv = "LABCTL_SSH_FROM"

// sshFrom returns the networks that SSH is opened to: the lab file's, $LABCTL_SSH_FROM's, else the
// caller's own address as AWS sees it.
func (a *app) sshFrom(ctx context.Context, host *labfile.Host) ([]netip.Prefix, error) {
	if len(host.SSHFrom) > 0 {
		return networks(host.SSHFrom, "ssh_from in the lab file")
	}
	if given := a.getenv(sshFromEnv); given != "" {
		all, err := networks(strings.Split(given, ","), "$"+sshFromEnv)
		// A variable that was set long ago must not open a host to everybody.
		if wide := labfile.Wide(all); err == nil && wide != "" {
			return nil, fault.New(fault.Refused, "$%s opens SSH to %s", sshFromEnv, wide).
				WithNext("Name the networks that SSH is used from. So wide it can only be by ssh_from in the lab file.")
		}
		return all, err
	}
	own, err := ec2.CallerNetwork(ctx, &http.Client{Timeout: 10 * time.Second}, ec2.CheckIPURL)
	return []netip.Prefix{own}, err
}

// networks reads what the place where it stands calls networks.
func networks(given []string, where string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range given {
		network, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil {
			return nil, fault.New(fault.Usage, "%s names %q, which is no network: %w", where, text, err).WithNext("Write it as 203.0.113.7/32.")
		}
		all = append(all, labfile.Plain(network))
	}
	return all, nil
}
