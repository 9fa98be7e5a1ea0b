package lab

import (
	"cmp"
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision/ec2"
)

// sshFromEnv holds networks that SSH comes from, separated by commas, for lab files that name none.
const sshFromEnv = "LABCTL_SSH_FROM"

// sshFrom returns the networks that SSH is opened to: the lab file's, $LABCTL_SSH_FROM's, else the
// caller's own address as AWS sees it. doubt says why that may not be the address that SSH comes from.
func (m *Machine) sshFrom(ctx context.Context, host *labfile.Host) (from []netip.Prefix, doubt string, err error) {
	if len(host.SSHFrom) > 0 {
		from, err = networks(host.SSHFrom, "ssh_from in the lab file")
		return from, "", err
	}
	if given := m.Getenv(sshFromEnv); given != "" {
		from, err = networks(strings.Split(given, ","), "$"+sshFromEnv)
		// A variable that was set long ago must not open a host to everybody.
		if wide := labfile.Wide(from); err == nil && wide != "" {
			return nil, "", clierr.New(clierr.Refused, "$%s opens SSH to %s", sshFromEnv, wide).
				WithNext("Name the networks that SSH is used from. So wide it can only be by ssh_from in the lab file.")
		}
		return from, "", err
	}
	own, proxied, err := ec2.CallerNetwork(ctx, ec2.CheckIPURL, m.proxy())
	if proxied {
		doubt = "SSH is let in from " + own.String() + ", which an HTTP proxy has asked for: SSH goes by no proxy, and may come from another address. If the host cannot be logged in to, set " + sshFromEnv + " to that"
	}
	return []netip.Prefix{own}, doubt, err
}

// proxy is what the environment names for HTTPS; nil without, or where it is no URL.
func (m *Machine) proxy() *url.URL {
	text := cmp.Or(m.Getenv("HTTPS_PROXY"), m.Getenv("https_proxy"))
	if text != "" && !strings.Contains(text, "://") {
		text = "http://" + text
	}
	proxy, err := url.Parse(text)
	if text == "" || err != nil || proxy.Host == "" {
		return nil
	}
	return proxy
}

// withoutProxies is an environment for another machine: this one's way to the internet is of no use there, and
// its password none of that machine's business.
func withoutProxies(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains([]string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "NO_PROXY"}, strings.ToUpper(name))
	})
}

// networks reads what the place where it stands calls networks.
func networks(given []string, where string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range given {
		network, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil {
			return nil, clierr.New(clierr.Usage, "%s names %q, which is no network: %w", where, text, err).WithNext("Write it as 203.0.113.7/32.")
		}
		all = append(all, labfile.Plain(network))
	}
	return all, nil
}
