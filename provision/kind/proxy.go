package kind

import (
	"context"
	"encoding/json"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/labctl/labctl/internal/docker"
)

// proxy is how programs are told to reach other machines.
type proxy struct{ HTTP, HTTPS, No string }

func (p proxy) set() bool { return p.HTTP != "" || p.HTTPS != "" }

// proxyVariables are the names under which programs look for it.
var proxyVariables = []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "FTP_PROXY", "ALL_PROXY"}

// isProxyVariable: in capitals or not, both are read.
func isProxyVariable(name string) bool {
	return slices.Contains(proxyVariables, strings.ToUpper(name))
}

// nodeProxy decides what the nodes are told: the proxy of the environment, else that of docker's own settings,
// else the engine's. They need one to reach a registry, where there is one. withheld says why they are told
// nothing although there is one; configured, that docker would hand one to its containers if it were let.
//
//   - What is in a node is everybody's who works in the lab, so a proxy with a password is not for nodes.
//   - An address on this machine's loopback is no proxy for anybody else.
//   - The proxy of this machine is not for another machine's nodes.
func (c *Cluster) nodeProxy(ctx context.Context, info docker.Info) (told proxy, withheld string, configured bool) {
	if c.Dial != nil {
		return proxy{}, "", false // the host's docker knows the host's proxy
	}
	own := proxyOf(c.Env)
	settings := c.dockerProxy(ctx)
	configured = own.set() || settings.set()
	for _, told = range []proxy{own, settings, {info.HTTPProxy, info.HTTPSProxy, info.NoProxy}} {
		if told.set() {
			break
		}
	}
	for _, address := range []string{told.HTTP, told.HTTPS} {
		if withheld = whyNotForNodes(address); withheld != "" {
			return proxy{}, withheld, configured
		}
	}
	if told.set() {
		told.No = strings.Join(c.direct(told.No), ",")
	}
	return told, "", configured
}

// direct is what nobody asks a proxy for: what was said already, and the lab's own. kind adds the nodes, the
// networks, the services and the pods.
func (c *Cluster) direct(said string) []string {
	all := slices.DeleteFunc(strings.Split(said, ","), func(s string) bool { return strings.TrimSpace(s) == "" })
	return append(append(all, "localhost", "127.0.0.1", "::1"), c.NoProxy...)
}

func whyNotForNodes(address string) string {
	if address == "" {
		return ""
	}
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return "its address cannot be read"
	case u.User != nil:
		return "it takes a password, and what a node knows everybody in the lab knows"
	case u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback():
		return "it listens on this machine's loopback, which no node reaches"
	}
	return ""
}

// proxyOf reads an environment. The last of equal names counts.
func proxyOf(env []string) (p proxy) {
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		if value == "" {
			continue
		}
		switch strings.ToUpper(name) {
		case "HTTP_PROXY":
			p.HTTP = value
		case "HTTPS_PROXY":
			p.HTTPS = value
		case "NO_PROXY":
			p.No = value
		}
	}
	return p
}

// dockerProxy reads docker's own settings, which docker puts into every container's environment.
// https://docs.docker.com/engine/cli/proxy/
func (c *Cluster) dockerProxy(ctx context.Context) proxy {
	dir, home := "", ""
	for _, kv := range c.Env {
		switch name, value, _ := strings.Cut(kv, "="); name {
		case "DOCKER_CONFIG":
			dir = value
		case "HOME":
			home = value
		}
	}
	if dir == "" {
		dir = filepath.Join(home, ".docker")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return proxy{}
	}
	var settings struct {
		Proxies map[string]struct{ HTTPProxy, HTTPSProxy, NoProxy string }
	}
	if json.Unmarshal(raw, &settings) != nil || len(settings.Proxies) == 0 {
		return proxy{}
	}
	at, _ := c.Engine.Endpoint(ctx)
	found, ok := settings.Proxies[at]
	if !ok {
		found = settings.Proxies["default"]
	}
	return proxy{found.HTTPProxy, found.HTTPSProxy, found.NoProxy}
}

// environ is an environment with this proxy and no other.
func (p proxy) environ(env []string) []string {
	env = slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return isProxyVariable(name)
	})
	for name, value := range map[string]string{"HTTP_PROXY": p.HTTP, "HTTPS_PROXY": p.HTTPS, "NO_PROXY": p.No} {
		if value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// onlyProxy takes out of `docker run` what kind tells a node of proxies, unless keep, and says "none" for each
// variable that is then not set: docker would set it from its own settings.
func onlyProxy(args []string, keep bool) []string {
	kept, said := []string{args[0]}, map[string]bool{}
	for i := 1; i < len(args); i++ {
		if args[i] == "-e" && i+1 < len(args) {
			if name, _, _ := strings.Cut(args[i+1], "="); isProxyVariable(name) {
				if i++; keep && !said[name] {
					kept, said[name] = append(kept, "-e", args[i]), true
				}
				continue
			}
		}
		kept = append(kept, args[i])
	}
	var none []string
	for _, upper := range proxyVariables {
		for _, name := range []string{upper, strings.ToLower(upper)} {
			if !said[name] {
				none = append(none, "-e", name+"=")
			}
		}
	}
	return slices.Insert(kept, 1, none...)
}
