package lab

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
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
  type    = "demo"
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

// upOnce is a machine whose lab "own" was applied from a folder that is gone, and what it is told.
func upOnce(t *testing.T, change func(*state.State)) (*Machine, *event.Recorder) {
	t.Helper()
	home := t.TempDir()
	told := &event.Recorder{}
	m := &Machine{Environ: []string{"LABCTL_HOME=" + home, "PATH=/nowhere"}, Owner: "me", Events: told}
	src := labfile.Source{Name: "own.hcl", Bytes: []byte(ownLab), Dir: fstest.MapFS{
		"manifests/pod.yaml": {Data: []byte("apiVersion: v1\nkind: Pod\nmetadata: {name: look}\n")},
	}}
	declared, diags := labfile.Parse(src, labfile.Options{Catalogue: scenarios.Definitions()})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	st := &state.State{Lab: declared.Name, Owner: "me"}
	if err := remember(st, declared, src); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(st)
	}
	if err := (state.Home{Dir: home}).Lab(declared.Name).Save(st); err != nil {
		t.Fatal(err)
	}
	return m, told
}

// notices are the texts of what a machine was told that is about no resource.
func notices(told *event.Recorder) string {
	var all []string
	for _, n := range event.Of[event.Notice](told) {
		all = append(all, n.Text)
	}
	return strings.Join(all, "\n")
}

func TestALabIsOpenedWithoutItsFolder(t *testing.T) {
	m, _ := upOnce(t, nil)
	l, err := m.Reopen(t.Context(), "", Whole)
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Declared.Scenarios) != 1 || l.mirror == nil {
		t.Fatalf("opened with %d scenarios, mirror %v", len(l.Declared.Scenarios), l.mirror)
	}
	manifests, diags := labfile.Render(l.Declared.Scenarios[0].Definition, l.Declared.Scenarios[0].Input)
	if diags.HasErrors() || len(manifests) != 1 || !strings.Contains(string(manifests[0].Bytes), "name: look") {
		t.Errorf("its manifests are %v, %v", manifests, diags)
	}
}

// What a newer labctl wrote into a lab file, or an older one, keeps nobody from entering or ending the lab.
func TestALabIsEnteredWithoutUnderstandingItsFile(t *testing.T) {
	m, told := upOnce(t, func(st *state.State) { st.FileBytes = "lab \"own\" { words = \"of tomorrow\" }\n" })
	l, err := m.Reopen(t.Context(), "", Outline)
	if err != nil {
		t.Fatal(err)
	}
	if got := l.cluster.NodeNames(); len(got) != 2 || l.mirror == nil || l.Declared.Title == "" {
		t.Errorf("entered with nodes %v, mirror %v, title %q", got, l.mirror, l.Declared.Title)
	}
	if said := told.Events(); len(said) > 0 {
		t.Errorf("entering says %q", said)
	}
	var invalid *Invalid
	if _, err := m.Reopen(t.Context(), "", Whole); clierr.ClassOf(err) != clierr.Usage || !errors.As(err, &invalid) || !invalid.Diagnostics.HasErrors() {
		t.Errorf("for its scenarios: %v", err)
	}
	if l, err = m.Reopen(t.Context(), "", Understood); err != nil || len(l.Declared.Scenarios) > 0 {
		t.Errorf("understood as far as it is: %v", err)
	}
	if said := notices(told); !strings.Contains(said, "does not understand the file of lab own; its scenarios are left out") {
		t.Errorf("it says %q", said)
	}
}

// A scenario that another labctl's catalogue had is no reason to refuse the others.
func TestAScenarioThatIsNotKnownIsLeftOut(t *testing.T) {
	m, told := upOnce(t, func(st *state.State) { st.Extra = []string{"crashloop", "of-tomorrow"} })
	l, err := m.Reopen(t.Context(), "", Whole)
	if err != nil || len(l.Declared.Scenarios) != 2 {
		t.Fatalf("%v", err)
	}
	if said := notices(told); !strings.Contains(said, "of-tomorrow") {
		t.Errorf("it says %q", said)
	}
}
