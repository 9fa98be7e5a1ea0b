package labfile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// TestOpenToEveryone: the whole internet may use SSH only where the lab file says so itself, and it is said.
func TestOpenToEveryone(t *testing.T) {
	const file = "lab \"open\" {}\nhost \"ec2\" \"bench\" {\n  region   = \"ap-south-2\"\n  ssh_from = %s\n}\n" +
		"cluster \"kind\" \"open-cluster\" {\n  host = host.ec2.bench\n  node \"control-plane\" {}\n}\n"
	for from, want := range map[string][]string{
		`"0.0.0.0/0"`:                     {"0.0.0.0/0"},
		`["203.0.113.7/32", "0.0.0.0/0"]`: {"203.0.113.7/32", "0.0.0.0/0"},
		`["::/0"]`:                        {"::/0"},
		`["0.0.0.0/1", "128.0.0.0/1"]`:    {"0.0.0.0/1", "128.0.0.0/1"},
		`["8000::/1", "::/1"]`:            {"8000::/1", "::/1"},
	} {
		for _, local := range []bool{false, true} {
			lab, diags := Parse(Source{Name: "open.hcl", Bytes: fmt.Appendf(nil, file, from)}, Options{Local: local})
			if diags.HasErrors() || lab == nil {
				t.Fatalf("%s: %v", from, diags)
			}
			if local {
				if len(diags) > 0 {
					t.Errorf("%s: without the host there is nothing to warn of: %v", from, diags)
				}
				continue
			}
			if !slices.Equal(lab.Host.SSHFrom, want) {
				t.Errorf("%s: %v", from, lab.Host.SSHFrom)
			}
			if len(diags) != 1 || diags[0].Severity != hcl.DiagWarning || diags[0].Subject.Start.Line != 4 || !strings.Contains(diags[0].Detail, want[len(want)-1]) {
				t.Errorf("%s: %v; want one warning, on line 4", from, diags)
			}
			if p := Problems(diags); p[0].Severity != "warning" || p[0].Snippet == "" {
				t.Errorf("%s in JSON: %+v", from, p)
			}
		}
	}
}

// TestOpenByVariable: what a variable brings opens the host to no more than anybody works from, in one piece or in
// several.
func TestOpenByVariable(t *testing.T) {
	const file = "variable \"from\" { default = [%s] }\nlab \"open\" {}\nhost \"ec2\" \"bench\" {\n  region   = \"ap-south-2\"\n  ssh_from = var.from\n}\n" +
		"cluster \"kind\" \"open-cluster\" {\n  host = host.ec2.bench\n  node \"control-plane\" {}\n}\n"
	for from, refused := range map[string]bool{
		`"0.0.0.0/0"`: true, `"::/0"`: true, `"0.0.0.0/1", "128.0.0.0/1"`: true, `"::/1", "8000::/1"`: true,
		`"9.0.0.0/8", "203.0.113.7/32"`: true, `"2000::/18"`: true,
		`"9.0.0.0/8", "9.1.0.0/16"`: false, `"2003::/19", "203.0.113.7/32"`: false,
	} {
		_, diags := Parse(Source{Name: "open.hcl", Bytes: fmt.Appendf(nil, file, from)}, Options{})
		if diags.HasErrors() != refused || refused && diags[0].Summary != "Open to the internet" {
			t.Errorf("%s: %v; want it refused: %v", from, diags, refused)
		}
	}
}
