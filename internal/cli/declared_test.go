package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/scenarios"
)

const ownLab = `lab "own" { title = "A lab of one's own" }
cluster "kind" "c" {
  node "control-plane" {}
  node "worker" {}
}
scenario "look" {
  kind    = "demo"
  title   = "A sight"
  summary = "Something to see."
  seed {
    manifests = ["manifests/pod.yaml"]
    images    = ["busybox:1.36"]
  }
  symptom {
    condition "there" {
      says  = "it is there"
      kind  = "Pod"
      name  = "look"
      holds = true
    }
  }
  disturbance "gone" {
    says = "Gone."
    run  = ["kubectl delete pod look"]
  }
  disturbance "renamed" {
    says = "Another."
    run  = ["kubectl delete pod look"]
  }
}
`

// upOnce is an app whose lab "own" was applied from a folder that is gone.
func upOnce(t *testing.T, change func(*state.State)) (*app, *os.File) {
	t.Helper()
	home := t.TempDir()
	a, stderr := silentApp(t, "LABCTL_HOME="+home, "PATH=/nowhere")
	a.owner = "me"
	src := labfile.Source{Name: "own.hcl", Bytes: []byte(ownLab), Dir: fstest.MapFS{
		"manifests/pod.yaml": {Data: []byte("apiVersion: v1\nkind: Pod\nmetadata: {name: look}\n")},
	}}
	lab, diags := labfile.Parse(src, labfile.Options{Catalogue: scenarios.Definitions()})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	st := &state.State{Lab: lab.Name, Owner: "me"}
	if err := remember(st, lab, src); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(st)
	}
	if err := (state.Home{Dir: home}).Lab(lab.Name).Save(st); err != nil {
		t.Fatal(err)
	}
	return a, stderr
}

// silentApp is an app of that environment, without a terminal; what it writes to stderr is in the file.
func silentApp(t *testing.T, environ ...string) (*app, *os.File) {
	t.Helper()
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stderr.Close() })
	return newApp(Process{Args: []string{"labctl"}, In: stderr, Out: stderr, Err: stderr, Environ: environ}), stderr
}

func TestALabIsOpenedWithoutItsFolder(t *testing.T) {
	a, _ := upOnce(t, nil)
	s, err := a.current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(s.lab.Scenarios) != 1 || s.mirror == nil {
		t.Fatalf("opened with %d scenarios, mirror %v", len(s.lab.Scenarios), s.mirror)
	}
	manifests, diags := labfile.Render(s.lab.Scenarios[0].Definition, s.lab.Scenarios[0].Input)
	if diags.HasErrors() || len(manifests) != 1 || !strings.Contains(string(manifests[0].Bytes), "name: look") {
		t.Errorf("its manifests are %v, %v", manifests, diags)
	}
}

// What a newer labctl wrote into a lab file, or an older one, keeps nobody from entering or ending the lab.
func TestALabIsEnteredWithoutUnderstandingItsFile(t *testing.T) {
	a, stderr := upOnce(t, func(st *state.State) { st.FileBytes = "lab \"own\" { words = \"of tomorrow\" }\n" })
	s, err := a.entered(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := s.cluster.NodeNames(); len(got) != 2 || s.mirror == nil || s.lab.Title == "" {
		t.Errorf("entered with nodes %v, mirror %v, title %q", got, s.mirror, s.lab.Title)
	}
	if said, _ := os.ReadFile(stderr.Name()); len(said) > 0 {
		t.Errorf("entering says %q", said)
	}
	if _, err := a.current(t.Context()); exitCode(err) != 2 {
		t.Errorf("for its scenarios: %v", err)
	}
	if s, err = a.understood(t.Context()); err != nil || len(s.lab.Scenarios) > 0 {
		t.Errorf("understood as far as it is: %v", err)
	}
	if said, _ := os.ReadFile(stderr.Name()); !strings.Contains(string(said), "does not understand the file of lab own; its scenarios are left out") {
		t.Errorf("it says %q", said)
	}
}

// A scenario that another labctl's catalogue had is no reason to refuse the others.
func TestAScenarioThatIsNotKnownIsLeftOut(t *testing.T) {
	a, stderr := upOnce(t, func(st *state.State) { st.Extra = []string{"crashloop", "of-tomorrow"} })
	s, err := a.current(t.Context())
	if err != nil || len(s.lab.Scenarios) != 2 {
		t.Fatalf("%v", err)
	}
	if said, _ := os.ReadFile(stderr.Name()); !strings.Contains(string(said), "of-tomorrow") {
		t.Errorf("it says %q", said)
	}
}
