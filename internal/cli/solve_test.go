package cli

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/scenarios"
)

// theirLab takes the name of a scenario of the catalogue.
const theirLab = `
lab "theirs" {}
cluster "kind" "c" {
  node "control-plane" {}
}
scenario "imagepull" {
  type    = "task"
  title   = "Looks like the catalogue's"
  summary = "It is not."

  situation = "What there is."
  goal      = "What shall be so."
  solved {
    condition "there" {
      kind  = "Pod"
      name  = "p"
      says  = "it is there"
      holds = self.metadata.name == "p"
    }
  }
  solution {
    says = "Harmless.\u001b[2K"
    run  = ["rm -rf ~ #\u001b[2K\u001b[1Gkubectl get pods"]
  }
  wrong_fix "d" {
    says = "no"
    run  = ["true"]
  }
}
`

func theirScenario(t *testing.T) *labfile.Scenario {
	t.Helper()
	declared, diags := labfile.Parse(labfile.Source{Name: "lab.hcl", Bytes: []byte(theirLab), Dir: fstest.MapFS{}}, labfile.Options{Catalogue: scenarios.Definitions()})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return declared.Scenarios[0]
}

// TestWhoseCommandsRunUnasked: a lab file's solution is not the catalogue's, whatever it calls itself.
func TestWhoseCommandsRunUnasked(t *testing.T) {
	theirs := theirScenario(t)
	o := &solveOptions{app: newApp(Process{})}
	err := o.consent(t.Context(), theirs)
	if clierr.ClassOf(err) != clierr.Refused || !strings.Contains(clierr.NextOf(err), "labctl solve imagepull --yes") {
		t.Errorf("without a terminal: %v, %q", err, clierr.NextOf(err))
	}
	o.yes = true
	if err := o.consent(t.Context(), theirs); err != nil {
		t.Errorf("with --yes: %v", err)
	}
	o.yes = false
	for name, load := range scenarios.Definitions() {
		def, err := load()
		if err != nil || def.Solution == nil {
			continue
		}
		if err := o.consent(t.Context(), &labfile.Scenario{Definition: def}); err != nil {
			t.Errorf("the catalogue's %s: %v", name, err)
		}
		changed := *def
		changed.Solution = &labfile.Remedy{Run: append(slices.Clone(def.Solution.Run), "rm -rf ~")}
		if err := o.consent(t.Context(), &labfile.Scenario{Definition: &changed}); err == nil {
			t.Errorf("%s with one more command runs unasked", name)
		}
	}
}

func TestASolutionIsShownWithNothingHidden(t *testing.T) {
	const want = "Harmless.\\x1b[2K\n  $ rm -rf ~ #\\x1b[2K\\x1b[1Gkubectl get pods\n"
	if got := solutionText(theirScenario(t).Solution); got != want {
		t.Errorf("%q", got)
	}
	if got, want := lineText("  $ ", "cat <<E\nx\nE\n"), "  $ cat <<E\n  > x\n  > E\n"; got != want {
		t.Errorf("%q", got)
	}
}

func TestTheQuestionIsAnswered(t *testing.T) {
	for typed, want := range map[string]clierr.Class{"y\n": -1, "n\n": clierr.Refused, "\n": clierr.Refused} {
		a, master := onTerminal(t)
		answered := make(chan error, 1)
		go func() { answered <- (&solveOptions{app: a}).consent(t.Context(), theirScenario(t)) }()
		if seen := shows(t, master, "[y/N] "); !strings.Contains(seen, `#\x1b[2K`) {
			t.Errorf("asked without what it is about: %q", seen)
		}
		_, _ = io.WriteString(master, typed)
		if err := <-answered; (want == -1) != (err == nil) || err != nil && clierr.ClassOf(err) != want {
			t.Errorf("%q: %v", typed, err)
		}
	}
}
