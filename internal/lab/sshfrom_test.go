package lab

import (
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
)

// TestSSHFrom: the lab file's networks win over the environment's, and the environment opens nothing to
// everybody. The caller's own address is asked for last, and not here.
func TestSSHFrom(t *testing.T) {
	for name, c := range map[string]struct {
		file  []string
		env   string
		want  string
		class clierr.Class
	}{
		"the file's":                {file: []string{"203.0.113.7/32"}, env: "198.51.100.0/24", want: "203.0.113.7/32"},
		"the environment's":         {env: "198.51.100.0/24, 2001:db8::/32", want: "198.51.100.0/24 2001:db8::/32"},
		"open by the file":          {file: []string{"0.0.0.0/0"}, want: "0.0.0.0/0"},
		"open by the environment":   {env: "203.0.113.7/32,0.0.0.0/0", class: clierr.Refused},
		"open by it, IPv6":          {env: "::/0", class: clierr.Refused},
		"open by it, in two halves": {env: "0.0.0.0/1,128.0.0.0/1", class: clierr.Refused},
		"open by it, mapped":        {env: "::ffff:0:0/96", class: clierr.Refused},
		"open by it, nearly":        {env: "8.0.0.0/7", class: clierr.Refused},
		"no network":                {env: "home", class: clierr.Usage},
		"an address, not a network": {env: "203.0.113.7", class: clierr.Usage},
	} {
		m := &Machine{Environ: []string{"LABCTL_SSH_FROM=" + c.env}}
		got, _, err := m.sshFrom(t.Context(), &labfile.Host{SSHFrom: c.file})
		var texts []string
		for _, n := range got {
			texts = append(texts, n.String())
		}
		if c.want == "" {
			if err == nil || clierr.ClassOf(err) != c.class || clierr.NextOf(err) == "" {
				t.Errorf("%s: %v, %v; want a fault of class %s that says what to do", name, got, err, c.class)
			}
			continue
		}
		if err != nil || strings.Join(texts, " ") != c.want {
			t.Errorf("%s: %v, %v; want %s", name, texts, err, c.want)
		}
	}
}

// TestNoProxyLeavesThisMachine: what works on a host is told nothing of the laptop's proxy or its password.
func TestNoProxyLeavesThisMachine(t *testing.T) {
	env := []string{"PATH=/bin", "HTTP_PROXY=http://jane:secret@proxy:3128", "https_proxy=http://jane:secret@proxy:3128", "all_proxy=socks5://proxy", "NO_PROXY=corp", "HOME=/h"}
	dir := t.TempDir()
	m := laptop(t, true, env...)
	m.Environ = append(m.Environ, "HOME="+dir)
	awsFake(t)
	for _, remote := range []bool{true, false} {
		declared := &labfile.Lab{Name: "a", Cluster: &labfile.Cluster{Type: "kind", Name: "c"}}
		if remote {
			declared.Host = &labfile.Host{Type: "ec2", Name: "bench", Region: "eu-central-1"}
		}
		l, err := m.assemble(t.Context(), declared, nil, state.Home{Dir: t.TempDir()}.Lab("a"), &state.State{Lab: "a", Owner: "jane"})
		if err != nil {
			t.Fatal(err)
		}
		if told := strings.Contains(strings.ToLower(strings.Join(l.cluster.Env, "\n")), "_proxy="); told == remote {
			t.Errorf("on a host of its own: %v; it is told of the proxy: %v", remote, told)
		}
	}
}
