package kube_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/kube/kubetest"
)

// hostile are fields by which a kubeconfig makes kubectl run a program, read a file or trust somebody else.
const (
	hostileCluster = `, proxy-url: "http://evil:1", insecure-skip-tls-verify: true, tls-server-name: evil, certificate-authority: /etc/passwd, extensions: [{name: e, extension: {a: b}}]`
	hostileUser    = `, exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/evil, interactiveMode: Never}, tokenFile: /etc/passwd, token: t, username: u, password: p, as: root, as-groups: [g], auth-provider: {name: oidc}, client-key: /etc/shadow`
)

func TestOnlyCredentialsAreTaken(t *testing.T) {
	admin := kubetest.NewAdmin(t)
	access, err := kube.ReadAccess([]byte(admin.Conf("https://1.2.3.4:6443", hostileCluster, hostileUser)), "")
	if err != nil {
		t.Fatal(err)
	}
	if len(access.Ignored) != 14 || !slices.Contains(access.Ignored, "exec") || !slices.Contains(access.Ignored, "proxy-url") {
		t.Errorf("ignored: %q", access.Ignored)
	}
	raw, err := access.Kubeconfig("kind-c")
	if err != nil {
		t.Fatal(err)
	}
	want := `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ` + admin.CA + `
    server: https://1.2.3.4:6443
  name: kind-c
contexts:
- context:
    cluster: kind-c
    user: kind-c
  name: kind-c
current-context: kind-c
kind: Config
users:
- name: kind-c
  user:
    client-certificate-data: ` + admin.Certificate + `
    client-key-data: ` + admin.Key + "\n"
	if string(raw) != want {
		t.Errorf("got\n%s\nwant\n%s", raw, want)
	}
	again, err := kube.ReadAccess(raw, "kind-c")
	if err != nil || len(again.Ignored) > 0 || again.Server != access.Server {
		t.Errorf("what was written is read as %+v, %v", again, err)
	}
}

// A learner may add users and contexts to the lab's kubeconfig and use them; labctl's own access stays.
func TestAccessByName(t *testing.T) {
	admin, jane := kubetest.NewAdmin(t), kubetest.NewAdmin(t)
	raw := strings.NewReplacer("users: [", "users: [{name: jane, user: {client-certificate-data: "+jane.Certificate+", client-key-data: "+jane.Key+"}}, ",
		"current-context: x", "current-context: hers", "contexts: [", "contexts: [{name: hers, context: {cluster: kubernetes, user: jane, namespace: dev}}, ",
		"kubernetes-admin", "kubernetes").Replace(admin.Conf("https://1.2.3.4:6443", "", ""))
	for name, want := range map[string]string{"kubernetes": admin.Key, "": jane.Key} {
		access, err := kube.ReadAccess([]byte(raw), name)
		if err != nil || base64.StdEncoding.EncodeToString(access.Key) != want {
			t.Errorf("%q: %v, and another key", name, err)
		}
	}
}

func TestWhatIsNoKubeconfig(t *testing.T) {
	admin, other := kubetest.NewAdmin(t), kubetest.NewAdmin(t)
	in := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	out := func(s string) string { raw, _ := base64.StdEncoding.DecodeString(s); return string(raw) }
	whole := admin.Conf("https://1.2.3.4:6443", "", "")
	for name, text := range map[string]string{
		"empty": "", "binary": "\x00", "a number": "clusters: 7", "no entries": "clusters: []",
		"no cluster":         "current-context: x\ncontexts: [{name: x, context: {cluster: a, user: a}}]\nclusters: [{name: a}]\nusers: [{name: a}]",
		"null cluster":       "current-context: x\ncontexts: [{name: x}]\nclusters: [null]\nusers: [null]",
		"two of a name":      strings.Replace(whole, "users: [", "users: [{name: kubernetes-admin}, ", 1),
		"no context":         strings.Replace(whole, "current-context: x", "current-context: y", 1),
		"key as certificate": strings.Replace(whole, "certificate-authority-data: "+admin.CA, "certificate-authority-data: "+admin.Key, 1),
		"no base64":          strings.Replace(whole, admin.Key, "'%'", 1),
		"a number as key":    strings.Replace(whole, admin.Key, "7", 1),
		"no PEM":             strings.Replace(whole, admin.Key, in("key"), 1),
		"text before PEM":    strings.Replace(whole, admin.Key, in("hello\n"+out(admin.Key)), 1),
		"text after PEM":     strings.Replace(whole, admin.Key, in(out(admin.Key)+"hello\n"), 1),
		"two keys":           strings.Replace(whole, admin.Key, in(out(admin.Key)+out(other.Key)), 1),
		"another's key":      strings.Replace(whole, admin.Key, other.Key, 1),
		"no certificate":     strings.Replace(whole, admin.CA, in("-----BEGIN CERTIFICATE-----\nMTIz\n-----END CERTIFICATE-----\n"), 1),
		"too large":          whole + strings.Repeat("#", 1<<20),
	} {
		if access, err := kube.ReadAccess([]byte(text), ""); err == nil {
			t.Errorf("%s: taken as %+v", name, access)
		}
	}
	for _, server := range []string{"", "http://1.2.3.4:1", "https://1.2.3.4", "https://a:1/path", "https://u@a:1", "https://a:0", "https://a b:1", "https://a:1#f", "unix:///x"} {
		access, err := kube.ReadAccess([]byte(admin.Conf(server, "", "")), "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := access.Client(kube.Options{}); err == nil {
			t.Errorf("%q is taken for an API server", server)
		}
	}
}

func FuzzReadAccess(f *testing.F) {
	admin := kubetest.NewAdmin(f)
	f.Add([]byte(admin.Conf("https://1.2.3.4:6443", "", "")))
	f.Add([]byte(admin.Conf("https://1.2.3.4:6443", hostileCluster, hostileUser)))
	f.Add([]byte("clusters: [{name: a}]\nusers: [{name: a}]\ncontexts: [{name: a, context: {cluster: a, user: a}}]\ncurrent-context: a"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		access, err := kube.ReadAccess(raw, "")
		if err != nil {
			return
		}
		access.Server = "https://127.0.0.1:1"
		own, err := access.Kubeconfig("n")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(own)) {
			field, _, _ := strings.Cut(strings.TrimLeft(line, " -"), ":")
			if !slices.Contains([]string{"apiVersion", "kind", "clusters", "cluster", "certificate-authority-data", "server", "name", "users", "user",
				"client-certificate-data", "client-key-data", "contexts", "context", "current-context"}, field) {
				t.Errorf("%q got through", strings.TrimSpace(line))
			}
		}
	})
}
