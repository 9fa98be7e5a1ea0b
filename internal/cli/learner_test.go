package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/labctl/labctl/internal/kube/kubetest"
	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

// class is the lab of testdata/class with wrong-tag broken in it, on an API server that the test plays, and no Docker engine.
type class struct {
	*kubetest.Server
	t    *testing.T
	home string
}

func newClass(t *testing.T) *class {
	c := &class{Server: kubetest.NewTLS(t), t: t, home: t.TempDir()}
	files := state.Home{Dir: c.home}.Lab("class")
	err := files.Save(&state.State{
		Lab: "class", Owner: "me", File: "/labs/class.hcl", FileName: "class.hcl", FileBytes: c.file("class.hcl"),
		Manifests: map[string]string{"wrong-tag.yaml": c.file("wrong-tag.yaml"), "running.yaml": c.file("running.yaml")},
	})
	if err == nil {
		err = files.WriteFile(state.KubeconfigFile, c.Kubeconfig(t, "kind-c"))
	}
	if err != nil {
		t.Fatal(err)
	}
	c.put("nodes", `{kind: Node, apiVersion: v1, metadata: {name: worker}, status: {conditions: [{type: Ready, status: "True"}]}}`)
	c.pod("nginx:99999", "{phase: Pending, containerStatuses: [{restartCount: 0, ready: false, state: {waiting: {reason: ErrImagePull, message: 'nginx:99999: not found'}}}]}")
	c.seeded("2026-01-02T12:00:00Z")
	return c
}

// file returns the text of a file of the lab.
func (c *class) file(name string) string {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "class", name))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

func (c *class) put(resource, text string) {
	c.t.Helper()
	o := &unstructured.Unstructured{}
	data, err := yaml.YAMLToJSON([]byte(text))
	if err == nil {
		err = o.UnmarshalJSON(data)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.Put(resource, o)
}

func (c *class) pod(image, status string) {
	c.put("pods", fmt.Sprintf(`{kind: Pod, apiVersion: v1, metadata: {name: wrong-tag, namespace: default, uid: u, creationTimestamp: "2026-01-02T12:00:00Z",
  labels: {labctl/lab: class, labctl/scenario: wrong-tag}}, spec: {nodeName: worker, containers: [{name: nginx, image: %q}]}, status: %s}`, image, status))
}

// seeded puts the record of a seeding that was begun at this time.
func (c *class) seeded(at string) {
	record, err := json.Marshal(map[string]any{
		"version": 1, "begun": at, "complete": true, "proven": at,
		"objects": map[string]any{"Pod/wrong-tag": map[string]any{"kind": "Pod", "namespace": "default", "name": "wrong-tag", "uid": "u", "time": at}},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.put("configmaps", fmt.Sprintf(`{kind: ConfigMap, apiVersion: v1, metadata: {name: labctl-class, namespace: kube-system, labels: {labctl/lab: class}}, data: {wrong-tag: %q}}`, record))
}

func (c *class) solve() {
	c.pod("nginx:1.25", fmt.Sprintf("{phase: Running, conditions: [{type: Ready, status: 'True'}], containerStatuses: [{restartCount: 0, ready: true, state: {running: {startedAt: %q}}}]}",
		time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)))
}

// labctl runs a command and returns what it printed and its exit code.
func (c *class) labctl(args ...string) (string, int) {
	c.t.Helper()
	out, err := os.Create(filepath.Join(c.t.TempDir(), "out"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer out.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		c.t.Fatal(err)
	}
	defer null.Close()
	code := run(c.t.Context(), newApp(Process{
		Args: append([]string{"labctl"}, args...), In: null, Out: out, Err: out,
		Environ: []string{"LABCTL_HOME=" + c.home, "LABCTL_OWNER=me", "DOCKER_HOST=unix://" + c.home + "/no-engine", "PATH=" + os.Getenv("PATH")},
	}), args)
	text, err := os.ReadFile(out.Name())
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text), code
}

func TestCheckSpeaksInWords(t *testing.T) {
	c := newClass(t)
	want := "✗ wrong-tag  still broken\n    ✗ the pod runs\ndraft: no wrong fix was ever tried against this check\nNext: Run `labctl hint wrong-tag` for a hint.\n"
	if got, code := c.labctl("check", "wrong-tag"); got != want || code != 4 {
		t.Errorf("exit %d\n%s", code, got)
	}
	got, code := c.labctl("check", "wrong-tag", "--evidence")
	if !strings.Contains(got, `self.status.phase = "Pending"`) || strings.Contains(got, "the image is another one") || strings.Count(got, "\n") != 5 || code != 4 {
		t.Errorf("with evidence: exit %d\n%s", code, got)
	}
	got, code = c.labctl("check", "wrong-tag", "-o", "json")
	if !strings.Contains(got, `"expression"`) || !strings.Contains(got, `"verdict": "does-not-hold"`) || strings.Contains(got, "debrief") || code != 4 {
		t.Errorf("as JSON: exit %d\n%s", code, got)
	}

	c.solve()
	got, code = c.labctl("check", "wrong-tag")
	if !strings.HasPrefix(got, "✓ wrong-tag  solved: ") || !strings.Contains(got, "\n\nWhat was to be learned.") || code != 0 {
		t.Errorf("solved: exit %d\n%s", code, got)
	}
}

func TestHintsComeOneByOne(t *testing.T) {
	c := newClass(t)
	for i, want := range []string{"Hint where to look.", "Hint what is wrong.", "Hint what to do.", "You have seen every hint"} {
		got, code := c.labctl("hint", "wrong-tag")
		if !strings.Contains(got, want) || strings.Count(got, "Hint ") > 1 || code != 0 {
			t.Errorf("hint %d: exit %d\n%s", i+1, code, got)
		}
		if further := strings.Contains(got, "goes further"); further != (i < 2) {
			t.Errorf("hint %d of 3 says that there are more: %v", i+1, further)
		}
	}
	if got, _ := c.labctl("hint", "wrong-tag", "--all"); strings.Count(got, "\n") != 3 || !strings.HasPrefix(got, "1. ") {
		t.Errorf("all:\n%s", got)
	}
	c.seeded("2026-01-02T13:00:00Z")
	got, _ := c.labctl("hint", "wrong-tag", "-o", "json")
	var result hinted
	if err := json.Unmarshal([]byte(got), &result); err != nil || len(result.Hints) != 1 || result.Left != 2 || result.Hints[0] != "Hint where to look." {
		t.Errorf("after a reset: %v\n%s", err, got)
	}
}

func TestAnAPIThatIsAwayIsToldInWords(t *testing.T) {
	c := newClass(t)
	kubeconfig := filepath.Join(c.home, "labs", "class", "kubeconfig")
	text, err := os.ReadFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	// Port 1 of the loopback, where nothing listens.
	if err := os.WriteFile(kubeconfig, []byte(strings.ReplaceAll(string(text), c.Config().Host, "https://127.0.0.1:1")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"check", "wrong-tag"}, {"hint", "wrong-tag"}, {"check", "running"}} {
		began := time.Now()
		got, code := c.labctl(args...)
		if !strings.Contains(got, "the API server of lab class does not answer (connection refused)") || strings.Contains(got, "https://") || code != 5 {
			t.Errorf("%v: exit %d\n%s", args, code, got)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%v took %s to find out that nothing listens", args, took)
		}
	}
}

// The mark, the words and the exit code of a scenario whose record is lost.
func TestALostRecordIsNotShownAsASuccess(t *testing.T) {
	c := newClass(t)
	c.Remove("configmaps", c.Get("configmaps", "kube-system", "labctl-class"))
	got, code := c.labctl("check", "wrong-tag")
	if !strings.HasPrefix(got, "✗ wrong-tag  still broken") || code != 4 {
		t.Errorf("check: exit %d\n%s", code, got)
	}
	got, _ = c.labctl("scenario")
	if !strings.Contains(strings.Join(strings.Fields(got), " "), "wrong-tag break broken ") {
		t.Errorf("scenario:\n%s", got)
	}
}

func TestRowsAndExitCodeAgree(t *testing.T) {
	c := newClass(t)
	got, code := c.labctl("verify")
	if !strings.HasPrefix(got, "? ") || strings.Contains(got, "✓") || code != 5 {
		t.Errorf("without an engine: exit %d\n%s", code, got)
	}
	lost := provision.Observed{Observation: provision.Observation{State: provision.Partial, Reason: "its record is lost", Next: "Run `labctl reset a`.", Evidence: []string{"seen"}}}
	unsure := provision.Observed{Observation: provision.Observation{State: provision.Partial, Reason: "a rate limit", Unsure: true}}
	good := provision.Observed{Observation: provision.Observation{State: provision.Current, Phase: "broken", Reason: "broken as declared"}}
	for _, row := range []struct {
		observed []provision.Observed
		verdict  provision.Verdict
		code     int
		text     string
		junit    string
	}{
		{[]provision.Observed{good}, provision.Holds, 0, "● a  broken as declared\n", `failures="0" errors="0"`},
		{[]provision.Observed{good, lost}, provision.DoesNotHold, 4, "● a  broken as declared\n✗ a  its record is lost\nNext: Run `labctl reset a`.\n", `failures="1" errors="0"`},
		{[]provision.Observed{unsure, good}, provision.Inconclusive, 5, "? a  a rate limit\n● a  broken as declared\n", `failures="0" errors="1"`},
		{[]provision.Observed{unsure, lost}, provision.DoesNotHold, 4, "? a  a rate limit\n✗ a  its record is lost\nNext: Run `labctl reset a`.\n", `failures="1" errors="1"`},
	} {
		r := &lab.Report{Lab: "day10", Verdict: row.verdict}
		for _, o := range row.observed {
			r.Resources = append(r.Resources, lab.Row{Addr: "a", State: o.State, Answer: o.Answer(), Phase: o.Phase, Evidence: o.Evidence})
		}
		out, err := os.Create(filepath.Join(t.TempDir(), "out"))
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		printReport(newApp(Process{Out: out}).printer(), r, false)
		text, err := os.ReadFile(out.Name())
		if err != nil || string(text) != row.text || exitCode(r.Err()) != row.code {
			t.Errorf("exit %d, want %d; %v\n%s", exitCode(r.Err()), row.code, err, text)
		}
		report := filepath.Join(t.TempDir(), "report.xml")
		if err := writeJUnit(report, r.JUnit); err != nil {
			t.Fatal(err)
		}
		if xml, err := os.ReadFile(report); err != nil || !strings.Contains(string(xml), row.junit) {
			t.Errorf("%v, want %s in\n%s", err, row.junit, xml)
		}
	}
}

// A lab file of another labctl's: what does not need its scenarios says that they are left out, what does says what is
// wrong with it and where.
func TestALabFileThatIsNotUnderstoodIsTold(t *testing.T) {
	c := newClass(t)
	files := state.Home{Dir: c.home}.Lab("class")
	st, err := files.Load()
	if err != nil {
		t.Fatal(err)
	}
	st.FileBytes = "lab \"class\" { words = \"of tomorrow\" }\n"
	st.Declared = []byte(`{"cluster": {"type": "kind", "name": "c", "nodes": [{"role": "control-plane"}]}}`)
	if err := files.Save(st); err != nil {
		t.Fatal(err)
	}
	got, code := c.labctl("status", "class")
	if !strings.Contains(got, "this labctl does not understand the file of lab class; its scenarios are left out") || !strings.Contains(got, "Lab class of me") || code != 5 {
		t.Errorf("status without an engine: exit %d\n%s", code, got)
	}
	got, code = c.labctl("check", "wrong-tag")
	if !strings.Contains(got, "class.hcl:1:15") || !strings.Contains(got, `"words"`) || code != 2 {
		t.Errorf("check: exit %d\n%s", code, got)
	}
	got, code = c.labctl("check", "wrong-tag", "-o", "json")
	if !strings.Contains(got, `"class":"usage"`) || !strings.Contains(got, `"line":1`) || code != 2 {
		t.Errorf("check as JSON: exit %d\n%s", code, got)
	}
}
