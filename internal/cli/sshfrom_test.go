package cli

import (
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/fault"
	"github.com/labctl/labctl/internal/labfile"
)

// TestSSHFrom: the lab file's networks win over the environment's, and the environment opens nothing to
// everybody. The caller's own address is asked for last, and not here.
func TestSSHFrom(t *testing.T) {
	for name, c := range map[string]struct {
		file  []string
		env   string
		want  string
		class fault.Class
	}{
		"the file's":                {file: []string{"203.0.113.7/32"}, env: "198.51.100.0/24", want: "203.0.113.7/32"},
		"the environment's":         {env: "198.51.100.0/24, 2001:db8::/32", want: "198.51.100.0/24 2001:db8::/32"},
		"open by the file":          {file: []string{"0.0.0.0/0"}, want: "0.0.0.0/0"},
		"open by the environment":   {env: "203.0.113.7/32,0.0.0.0/0", class: fault.Refused},
		"open by it, IPv6":          {env: "::/0", class: fault.Refused},
		"open by it, in two halves": {env: "0.0.0.0/1,128.0.0.0/1", class: fault.Refused},
		"open by it, mapped":        {env: "::ffff:0:0/96", class: fault.Refused},
		"open by it, nearly":        {env: "8.0.0.0/7", class: fault.Refused},
		"no network":                {env: "home", class: fault.Usage},
		"an address, not a network": {env: "203.0.113.7", class: fault.Usage},
	} {
		a := newApp(Process{Environ: []string{"LABCTL_SSH_FROM=" + c.env}})
		got, err := a.sshFrom(t.Context(), &labfile.Host{SSHFrom: c.file})
		var texts []string
		for _, n := range got {
			texts = append(texts, n.String())
		}
		if c.want == "" {
			if err == nil || fault.ClassOf(err) != c.class || fault.NextOf(err) == "" {
				t.Errorf("%s: %v, %v; want a fault of class %s that says what to do", name, got, err, c.class)
			}
			continue
		}
		if err != nil || strings.Join(texts, " ") != c.want {
			t.Errorf("%s: %v, %v; want %s", name, texts, err, c.want)
		}
	}
}
