package scenarios

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

const apiServer = `apiVersion: v1
kind: Pod
metadata:
  name: kube-apiserver
spec:
  containers:
  - name: kube-apiserver
    command:
    - kube-apiserver
    - --profiling=true
    - --v=2
    volumeMounts:
    - mountPath: /etc/ssl
      name: certs
  volumes:
  - name: certs
    hostPath: {path: /etc/ssl}
`

func TestWithFlags(t *testing.T) {
	path := "/etc/kubernetes/audit/policy.yaml"
	a := &labfile.NodeAction{
		Node: "control-plane", Component: "kube-apiserver", Flags: map[string]*string{"audit-policy-file": &path, "profiling": nil},
		Mounts: []string{"/etc/kubernetes/audit"},
	}
	changed, err := withFlags([]byte(apiServer), a)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"- --audit-policy-file=" + path, "- --v=2", "mountPath: /etc/ssl", "mountPath: /etc/kubernetes/audit", "type: DirectoryOrCreate"} {
		if !strings.Contains(string(changed), want) {
			t.Errorf("it lacks %q:\n%s", want, changed)
		}
	}
	if strings.Contains(string(changed), "--profiling") {
		t.Errorf("it has a flag that was taken away:\n%s", changed)
	}
	for _, manifest := range []string{"", "x", "spec: {containers: []}", strings.Repeat("#", 65<<10), "a: [" + strings.Repeat("[", 20000)} {
		if _, err := withFlags([]byte(manifest), a); err == nil {
			t.Errorf("%.20q is taken for a manifest", manifest)
		}
	}
}

// aNode is a folder that stands for a node: what the scripts call /etc, /run and /var is below it.
type aNode struct {
	t    *testing.T
	root string
}

func newNode(t *testing.T) *aNode {
	n := &aNode{t, t.TempDir()}
	for _, dir := range []string{"etc/kubernetes/manifests", "var/lib", "run", "var/log", "bin"} {
		if err := os.MkdirAll(filepath.Join(n.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	n.write("bin/systemctl", "#!/bin/sh\necho \"$@\" >>"+n.root+"/systemctl\n")
	if err := os.Chmod(filepath.Join(n.root, "bin/systemctl"), 0o755); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *aNode) write(path, text string) {
	n.t.Helper()
	if err := os.WriteFile(filepath.Join(n.root, path), []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
}

func (n *aNode) read(path string) string {
	text, err := os.ReadFile(filepath.Join(n.root, path))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// tree lists what is there, with modes and times of change.
func (n *aNode) tree() string {
	out, err := exec.CommandContext(n.t.Context(), "sh", "-c", `cd "$1" && find etc var -exec stat -c '%n %a' {} + | sort; find etc -type f -exec stat -c '%n %Y' {} + -exec sha256sum {} + | sort`, "sh", n.root).Output()
	if err != nil {
		n.t.Fatal(err)
	}
	return string(out)
}

func (n *aNode) NodeName(node string) (string, bool) { return "lab-" + node, node != "worker9" }

func (n *aNode) Client(context.Context) (*kube.Client, error) { return nil, kube.ErrNoCluster }

func (n *aNode) ChangeNode(ctx context.Context, node, _, _ string, argv ...string) (string, error) {
	return n.OnNode(ctx, node, argv...)
}

func (n *aNode) OnNode(ctx context.Context, _ string, argv ...string) (string, error) {
	for i, arg := range argv {
		for _, dir := range []string{"/etc/", "/var/", "/run/"} {
			arg = strings.ReplaceAll(arg, dir, n.root+dir)
		}
		argv[i] = arg
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(n.root, "bin")+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return string(out), err
}

func (n *aNode) scenario(name string) *compiled {
	n.t.Helper()
	sc, err := compile(lab, scenarioOf(n.t, "audit-trail"))
	if err != nil {
		n.t.Fatal(err)
	}
	named, definition := *sc.s, *sc.s.Definition
	definition.Name, named.Definition = name, &definition
	sc.s, sc.cluster = &named, n
	return sc
}

// What is undone is as it was, to the byte, the mode and the time, whatever somebody has made of it meanwhile.
func TestNodeActionsAreUndone(t *testing.T) {
	n := newNode(t)
	n.write("etc/kubernetes/manifests/kube-apiserver.yaml", apiServer)
	before := n.tree()
	sc := n.scenario("audit-trail")
	if err := sc.act(t.Context(), sc.s.NodeActions()); err != nil {
		t.Fatal(err)
	}
	if text := n.read("etc/kubernetes/audit/policy.yaml"); !strings.Contains(text, "level: Everything") {
		t.Errorf("the policy holds %s", text)
	}
	if text := n.read("etc/kubernetes/manifests/kube-apiserver.yaml"); !strings.Contains(text, "--audit-policy-file=") {
		t.Errorf("the manifest holds %s", text)
	}
	marks, err := nodeMarks{sc}.read(t.Context(), nil)
	if err != nil || len(marks) != 2 {
		t.Errorf("the node says of itself: %v, %v", marks, err)
	}
	if taken := TakenAway(t.Context(), n, []*labfile.Scenario{sc.s}); len(taken) != 1 || taken[0].Scenario != "audit-trail" || !taken[0].Action.TakesAPI() {
		t.Errorf("what is taken away: %v", taken)
	}
	// Done again, as after a labctl that was killed, it keeps what there was at first.
	if err := sc.act(t.Context(), sc.s.NodeActions()); err != nil {
		t.Fatal(err)
	}
	n.write("etc/kubernetes/manifests/kube-apiserver.yaml", "what a learner has made of it")
	n.write("etc/kubernetes/audit/more.yaml", "")
	if undone, err := sc.undoNodes(t.Context(), event.Discard); err != nil || !undone {
		t.Fatalf("undone: %v, %v", undone, err)
	}
	if after := n.tree(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if undone, err := sc.undoNodes(t.Context(), event.Discard); err != nil || undone {
		t.Errorf("undone twice: %v, %v", undone, err)
	}
	if taken := TakenAway(t.Context(), n, []*labfile.Scenario{sc.s}); len(taken) != 0 {
		t.Errorf("what is taken away afterwards: %v", taken)
	}
}

// A labctl that was killed has left any part of it: it can be gone on with, and it can be undone.
func TestNodeActionsCutShort(t *testing.T) {
	before, after, _ := strings.Cut(nodeScript, "\nput() {")
	first := strings.Count(before, "\n") + 2
	after, _, _ = strings.Cut(after, "\nundo)")
	for cut := first; cut <= first+strings.Count(after, "\n"); cut++ {
		if cutAt(nodeScript, cut) == nodeScript {
			continue
		}
		n := newNode(t)
		n.write("etc/kubernetes/manifests/kube-apiserver.yaml", apiServer)
		before := n.tree()
		sc := n.scenario("audit-trail")
		whole := nodeScript
		nodeScript = cutAt(whole, cut)
		err := sc.act(t.Context(), sc.s.NodeActions())
		nodeScript = whole
		if err != nil {
			t.Errorf("cut at line %d: %v", cut, err)
		}
		if cut%2 == 0 {
			if err := sc.act(t.Context(), sc.s.NodeActions()); err != nil {
				t.Errorf("cut at line %d, gone on: %v", cut, err)
			}
		}
		if _, err := sc.undoNodes(t.Context(), event.Discard); err != nil {
			t.Errorf("cut at line %d: %v", cut, err)
		}
		if after := n.tree(); after != before {
			t.Errorf("cut at line %d: before:\n%s\nafter:\n%s", cut, before, after)
		}
	}
}

// cutAt has a script end before a line, where that is a statement of the verb take.
func cutAt(script string, line int) string {
	lines := strings.Split(script, "\n")
	statement := strings.TrimSpace(lines[line-1])
	for _, part := range []string{"", "#", "elif", "else", "fi", "done", "esac", ";;", "case", "for", "while", "keep)", "drop)", "take)", "undo)", "put()", "}", "*/", "/etc"} {
		if statement == part || part != "" && strings.HasPrefix(statement, part) {
			return script
		}
	}
	lines[line-1] = "exit 0\n" + lines[line-1]
	return strings.Join(lines, "\n")
}

func TestTwoScenariosThatWantTheSameOfANode(t *testing.T) {
	n := newNode(t)
	n.write("etc/kubernetes/manifests/kube-apiserver.yaml", apiServer)
	first, second := n.scenario("audit-trail"), n.scenario("another")
	if err := first.act(t.Context(), first.s.NodeActions()); err != nil {
		t.Fatal(err)
	}
	seeded := n.tree()
	err := second.act(t.Context(), second.s.NodeActions())
	if clierr.ClassOf(err) != clierr.Refused || !strings.Contains(clierr.NextOf(err), "labctl reset audit-trail") {
		t.Errorf("the second: %v, next %q", err, clierr.NextOf(err))
	}
	if _, err := second.undoNodes(t.Context(), event.Discard); err != nil {
		t.Fatal(err)
	}
	if after := n.tree(); after != seeded {
		t.Errorf("of the first is left:\n%s\nof:\n%s", after, seeded)
	}
}

// A scenario that takes the API server away has its record where it can be read without.
func TestRecordOnANode(t *testing.T) {
	n := newNode(t)
	before := n.tree()
	sc := n.scenario("audit-trail")
	want := &record{Begun: noon, Steps: 2, Complete: true}
	if err := sc.writeRecord(t.Context(), nil, want); err != nil {
		t.Fatal(err)
	}
	read := func() (*record, bool) {
		objs, err := nodeRecord{sc}.read(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r, kept, err := readRecord(kube.Update{Synced: true, Objects: objs}, lab, "audit-trail")
		if err != nil {
			t.Fatal(err)
		}
		return r, kept
	}
	if r, _ := read(); r == nil || !r.Begun.Equal(noon) || r.Steps != 2 || !r.Complete {
		t.Errorf("what was kept is read as %+v", r)
	}
	n.write("var/lib/labctl/audit-trail/record", "broken")
	if r, kept := read(); r != nil || !kept {
		t.Errorf("what is broken is read as %+v, kept %v", r, kept)
	}
	if err := sc.dropRecord(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if after := n.tree(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestANodeThatIsNotThere(t *testing.T) {
	n := newNode(t)
	sc := n.scenario("audit-trail")
	sc.s.Seed.Steps[0].Nodes[0].Node = "worker9"
	defer func() { sc.s.Seed.Steps[0].Nodes[0].Node = "control-plane" }()
	if err := sc.lackingNodes(); clierr.ClassOf(err) != clierr.Refused || !strings.Contains(err.Error(), "worker9") {
		t.Errorf("%v", err)
	}
}
