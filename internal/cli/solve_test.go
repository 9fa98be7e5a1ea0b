package cli

import (
	"bytes"
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
	if got := solutionText(theirScenario(t)); got != want {
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

// A solution is shown, and only run where somebody says so.
func TestASolutionIsShownBeforeItRuns(t *testing.T) {
	c := newClass(t)
	const shown = "Another image is pulled.\n  $ kubectl set image pod/wrong-tag nginx=nginx:1.25\n"
	for _, args := range [][]string{{"solve", "wrong-tag"}, {"solve", "wrong-tag", "--show"}, {"solve", "wrong-tag", "--show", "--yes"}} {
		if got, code := c.labctl(args...); got != shown+"Next: `labctl solve wrong-tag --run` runs that.\n" || code != 0 {
			t.Errorf("%q: exit %d\n%s", args, code, got)
		}
	}
	if got, code := c.labctl("solve", "wrong-tag", "-o", "json"); !strings.Contains(got, `"says": "Another image is pulled."`) || code != 0 {
		t.Errorf("as JSON: exit %d\n%s", code, got)
	}
	if got, code := c.labctl("solve", "wrong-tag", "--run"); !strings.Contains(got, "comes from the lab file") || code != 3 {
		t.Errorf("a lab file's solution with --run: exit %d\n%s", code, got)
	}

	a, master := onTerminal(t)
	a.Process.Out, a.Args, a.owner, a.output = a.In, []string{"labctl"}, "me", "text"
	a.Environ = []string{"TERM=xterm", "NO_COLOR=1", "LABCTL_HOME=" + c.home, "PATH=/nowhere"}
	var out bytes.Buffer
	a.Out = &out
	ended := make(chan error, 1)
	go func() { ended <- runSolve(t.Context(), &solveOptions{app: a, name: "wrong-tag"}) }()
	shows(t, master, "[y/N] ")
	if out.String() != shown {
		t.Errorf("asked after it has shown %q", &out)
	}
	_, _ = io.WriteString(master, "n\n")
	if err := <-ended; err != nil {
		t.Errorf("an answer of no is an error: %v", err)
	}
}

func TestTheQuestionSaysWhoseCommandsTheyAre(t *testing.T) {
	if got := runQuestion(theirScenario(t)); !strings.Contains(got, "the lab file's") {
		t.Errorf("of a lab file: %q", got)
	}
	d, err := scenarios.Lookup("imagepull")
	if err != nil {
		t.Fatal(err)
	}
	if got := runQuestion(&labfile.Scenario{Definition: d}); got != "Run these commands?" {
		t.Errorf("of the catalogue: %q", got)
	}
}
