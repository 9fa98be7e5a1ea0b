//go:build e2e

package hostile

import (
	"os"
	"strings"
	"testing"
)

// engineSays are the ways of the Docker engine that the docker of the tests knows (docker/hostile.go).
func engineSays(name string, b behaviour) behaviour {
	b.name, b.side = "engine "+name, engine
	if b.prepare == nil {
		b.prepare = func(t *testing.T, s *stage) { s.say(t, name) }
	}
	return b
}

var engineBehaviours = []behaviour{
	engineSays("well", behaviour{well: true, prepare: func(*testing.T, *stage) {}}),
	engineSays("absent", behaviour{dead: true, codes: map[string][]int{"gc": ok}, prepare: func(t *testing.T, s *stage) {
		if err := os.Remove(s.path("bin", "docker")); err != nil {
			t.Fatal(err)
		}
	}}),
	engineSays("refuses", behaviour{dead: true}),
	engineSays("exit-1", behaviour{dead: true}),
	engineSays("exit-125", behaviour{dead: true}),
	engineSays("exit-0", behaviour{}),
	engineSays("killed", behaviour{dead: true}),
	engineSays("silent", behaviour{dead: true, waits: true}),
	// Of nothing there is no trickle: what is not there is not there at once.
	engineSays("trickle", behaviour{dead: true, waits: true, codes: map[string][]int{"down nobodys": {0, 5}}}),
	engineSays("drops-output", behaviour{waits: true}),
	engineSays("half", behaviour{}),
	engineSays("half-silent", behaviour{dead: true, waits: true}),
	engineSays("endless", behaviour{dead: true}),
	engineSays("endless-lines", behaviour{dead: true}),
	engineSays("endless-stderr", behaviour{dead: true}),
	engineSays("html", behaviour{}),
	engineSays("types", behaviour{}),
	engineSays("nasty", behaviour{}),
	engineSays("nasty-json", behaviour{json: true, prepare: func(t *testing.T, s *stage) { s.say(t, "nasty") }}),
	engineSays("nasty-stderr", behaviour{dead: true}),
	engineSays("nasty-stderr-json", behaviour{dead: true, json: true, prepare: func(t *testing.T, s *stage) { s.say(t, "nasty-stderr") }}),
	engineSays("foreign", behaviour{codes: map[string][]int{"down": {0, 2, 3, 5}}}),
	engineSays("other-ids", behaviour{}),
	engineSays("huge", behaviour{}),
}

// onNode are ways of the files that labctl reads on the control-plane node, when it has no kubeconfig yet.
func onNode(name string, b behaviour) behaviour {
	prepare := b.prepare
	b.name, b.side = "node "+name, inside
	b.prepare = func(t *testing.T, s *stage) {
		if err := os.Remove(s.path("state", "labs", labName, "kubeconfig")); err != nil {
			t.Fatal(err)
		}
		prepare(t, s)
	}
	return b
}

func says(way string) func(*testing.T, *stage) {
	return func(t *testing.T, s *stage) { s.say(t, "node:"+way) }
}

// conf replaces the administrator's kubeconfig on the node.
func conf(change func(*stage, string) string) func(*testing.T, *stage) {
	return func(t *testing.T, s *stage) {
		s.nodeFile(t, "/etc/kubernetes/admin.conf", change(s, s.pki.kubeconfig("https://"+node+":6443", "")))
	}
}

// user replaces what the file says about the user.
func user(lines func(*stage) string) func(*testing.T, *stage) {
	return conf(func(s *stage, _ string) string { return s.pki.kubeconfig("https://"+node+":6443", lines(s)) })
}

const execLines = `    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: %s
      interactiveMode: Never
`

// mirrorToo: the node does not say either that it knows the mirror, and that is not as declared.
var mirrorToo = map[string][]int{"verify": {4, 5}}

var nodeBehaviours = []behaviour{
	onNode("well", behaviour{well: true, prepare: func(*testing.T, *stage) {}}),
	onNode("exec", behaviour{prepare: user(func(s *stage) string {
		return s.pki.credentials() + strings.Replace(execLines, "%s", s.path("decoy", "run"), 1)
	})}),
	onNode("exec alone", behaviour{prepare: user(func(s *stage) string { return strings.Replace(execLines, "%s", "canary", 1) })}),
	onNode("auth-provider", behaviour{prepare: user(func(s *stage) string {
		return s.pki.credentials() + "    auth-provider: {name: gcp, config: {cmd-path: " + s.path("decoy", "run") + "}}\n"
	})}),
	onNode("tokenFile", behaviour{prepare: user(func(s *stage) string { return "    tokenFile: " + s.path("decoy", "notes") + "\n" })}),
	onNode("key file", behaviour{prepare: user(func(s *stage) string {
		return "    client-certificate: " + s.path("decoy", "notes") + "\n    client-key: " + s.path("home", ".ssh", "config") + "\n"
	})}),
	onNode("password", behaviour{prepare: user(func(*stage) string { return "    username: x\n    password: y\n" })}),
	onNode("proxy-url", behaviour{prepare: func(t *testing.T, s *stage) {
		at, visited := elsewhere(s.tb)
		conf(func(_ *stage, text string) string {
			return strings.Replace(text, "    server:", "    proxy-url: "+at+"\n    server:", 1)
		})(t, s)
		s.then = func() []string {
			if visited() > 0 {
				return []string{"it went to the proxy that the node's file names"}
			}
			return nil
		}
	}}),
	onNode("other server", behaviour{prepare: func(t *testing.T, s *stage) {
		at, visited := elsewhere(s.tb)
		s.nodeFile(t, "/etc/kubernetes/admin.conf", s.pki.kubeconfig(strings.Replace(at, "http:", "https:", 1), ""))
		s.then = func() []string {
			if visited() > 0 {
				return []string{"it went to the server that the node's file names"}
			}
			return nil
		}
	}}),
	onNode("insecure", behaviour{prepare: conf(func(_ *stage, text string) string {
		return strings.Replace(text, "    server:", "    insecure-skip-tls-verify: true\n    server:", 1)
	})}),
	onNode("no clusters", behaviour{dead: true, prepare: conf(func(_ *stage, text string) string {
		_, rest, _ := strings.Cut(text, "contexts:")
		return "apiVersion: v1\ncontexts:" + rest
	})}),
	onNode("null cluster", behaviour{dead: true, prepare: conf(func(*stage, string) string {
		return "apiVersion: v1\nclusters:\n- name: x\ncontexts:\n- name: x\nusers:\n- name: x\ncurrent-context: x\n"
	})}),
	onNode("no user", behaviour{dead: true, prepare: user(func(*stage) string { return "    token: \"\"\n" })}),
	onNode("other types", behaviour{dead: true, prepare: conf(func(*stage, string) string {
		return "clusters: 7\nusers: {a: b}\ncontexts: [[]]\ncurrent-context: [x]\n"
	})}),
	onNode("empty", behaviour{dead: true, prepare: conf(func(*stage, string) string { return "" })}),
	onNode("html", behaviour{dead: true, prepare: conf(func(*stage, string) string { return "<html><body>502</body></html>\n" })}),
	onNode("no base64", behaviour{dead: true, prepare: conf(func(_ *stage, text string) string { return strings.Replace(text, "key-data: ", "key-data: ***", 1) })}),
	onNode("no certificate", behaviour{dead: true, prepare: conf(func(_ *stage, text string) string {
		at := strings.Index(text, "certificate-authority-data: ") + len("certificate-authority-data: ")
		end := at + strings.Index(text[at:], "\n")
		return text[:at] + "bm90IGEgY2VydGlmaWNhdGU=" + text[end:]
	})}),
	onNode("nasty", behaviour{prepare: conf(func(_ *stage, text string) string {
		return strings.ReplaceAll(text, "kubernetes-admin", `"evil\e[31m\u009b\u202e"`)
	})}),
	onNode("bomb", behaviour{dead: true, prepare: conf(func(*stage, string) string {
		bomb := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
		for i := '1'; i < '9'; i++ {
			refs := strings.TrimSuffix(strings.Repeat("*a"+string(i-1)+",", 10), ",")
			bomb += "a" + string(i) + ": &a" + string(i) + " [" + refs + "]\n"
		}
		return bomb + "clusters: *a8\n"
	})}),
	onNode("silent", behaviour{dead: true, waits: true, prepare: says("silent")}),
	onNode("half", behaviour{dead: true, codes: mirrorToo, prepare: says("half")}),
	onNode("half-silent", behaviour{dead: true, waits: true, prepare: says("half-silent")}),
	onNode("endless", behaviour{dead: true, prepare: says("endless")}),
	onNode("endless-stderr", behaviour{dead: true, prepare: says("endless-stderr")}),
	onNode("exit-1", behaviour{dead: true, prepare: says("exit-1")}),
	onNode("exit-0", behaviour{dead: true, codes: mirrorToo, prepare: says("exit-0")}),
	onNode("nasty-stderr", behaviour{dead: true, prepare: says("nasty-stderr")}),
	onNode("kubectl", behaviour{prepare: func(t *testing.T, s *stage) {
		// None on the PATH fits, and the node's own leaves the canary.
		if err := os.Remove(s.path("bin", "kubectl")); err != nil {
			t.Fatal(err)
		}
	}}),
}
