//go:build e2e

package life_test

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/provision/ec2"
)

// inside: the ways into a lab on AWS, what gc says of it, and how it gets more time.
func (s *site) inside(id string) {
	s.Helper()
	const node = "node/e2e-small-control-plane"
	s.says(s.does(0, "ssh", "--", "kubectl", "get", "nodes", "-o", "name").stdout, node)
	s.says(s.does(0, "ssh", "--", "echo", "two  blanks", "$HOME").stdout, "two  blanks $HOME")
	s.says(s.does(7, "ssh", "--", "echo one line | tr a-z A-Z; exit 7").stdout, "ONE LINE")
	if mode := s.on(id, "stat", "-c", "%a %U", "/home/labctl/.kube/config"); mode != "600 labctl" {
		s.Errorf("the kubeconfig on the host is %s; want it for the login user alone", mode)
	}
	s.served(node)
	s.says(s.does(6, "gc", "--dry-run", "--region", region).stdout, id, "kept: it has until")
	s.extended(id)
}

// served: while --serve runs, its kubeconfig works; after Ctrl-C nothing is left of it.
func (s *site) served(node string) {
	s.Helper()
	s.says(s.does(0, "kubeconfig", "--path").stderr, "labctl kubeconfig --serve")
	p := s.begin("kubeconfig", "--serve")
	p.until("until Ctrl-C")
	path, is := strings.CutPrefix(strings.TrimSpace(p.out.String()), "export KUBECONFIG=")
	if info, err := os.Stat(path); !is || err != nil || info.Mode().Perm() != 0o600 {
		s.Fatalf("--serve prints %q: %v; want a line for the shell that names a private file", p.out.String(), err)
	}
	if names := s.nodesBy(path); names != node {
		s.Errorf("by the kubeconfig that is served there are %q, want %q", names, node)
	}
	p.signal(syscall.SIGINT)
	if code := p.ended(); code != 0 {
		s.Errorf("ended by Ctrl-C, --serve exits with %d; want 0", code)
	}
	if _, err := os.Stat(path); err == nil {
		s.Errorf("%s is there after --serve has ended", path)
	}
}

// nodesBy names the nodes that a kubeconfig leads to, as kubectl would.
func (s *site) nodesBy(path string) string {
	s.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		s.Fatal(err)
	}
	access, err := kube.ReadAccess(raw, "")
	if err != nil {
		s.Fatal(err)
	}
	client, err := access.Client(kube.Options{})
	if err != nil {
		s.Fatal(err)
	}
	nodes, err := client.List(s.Context(), kube.Query{Kind: "Node"})
	if err != nil {
		s.Fatal(err)
	}
	var names []string
	for _, n := range nodes {
		names = append(names, "node/"+n.GetName())
	}
	return strings.Join(names, " ")
}

// extended: the new time stands on the instance, and the host goes by it.
func (s *site) extended(id string) {
	s.Helper()
	at := func() string { return s.on(id, "cat", "/etc/labctl/expires") }
	before, err := strconv.ParseInt(at(), 10, 64)
	if err != nil {
		s.Fatal(err)
	}
	s.does(2, "extend", "0s")
	type result struct{ Expires time.Time }
	now := read[result](s, s.does(0, "extend", "1h", "-o", "json").stdout).Expires
	if want := time.Unix(before, 0).Add(time.Hour); !now.Equal(want) || at() != strconv.FormatInt(want.Unix(), 10) {
		s.Errorf("extended to %s, and the host has %s; want %s", now, at(), want)
	}
	tags := s.instances()[0].Tags
	i := slices.IndexFunc(tags, func(tag types.Tag) bool { return aws.ToString(tag.Key) == ec2.TagExpires })
	if want := now.UTC().Format(time.RFC3339); i < 0 || aws.ToString(tags[i].Value) != want {
		s.Errorf("the instance's tags are %v; want it to end itself at %s", tags, want)
	}
	if state := s.on(id, "systemctl", "is-active", "labctl-ttl.timer"); state != "active" {
		s.Errorf("the timer is %s", state)
	}
	s.does(0, "verify")
}
