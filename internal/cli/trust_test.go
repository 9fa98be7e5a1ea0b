package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/shell"
	"github.com/labctl/labctl/scenarios"
)

const theirLab = `
lab "theirs" {}
host "ec2" "h" {
  region = "eu-central-1"
  image  = "ami-0123456789abcdef0"
}
cluster "kind" "c" {
  host       = host.ec2.h
  kubernetes = "1.35"
  image      = "evil/node:v1"
  node "control-plane" {}
}
scenario "crashloop" {}
scenario "imagepull" {
  kind    = "task"
  title   = "Looks like the catalogue's"
  summary = "It is not."
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
  decoy "d" {
    says = "no"
    run  = ["true"]
  }
}
`

// theirPods are manifests of a scenario of somebody else's.
const theirPods = `
apiVersion: v1
kind: Pod
metadata: {name: harmless}
spec: {containers: [{name: c, image: nginx, securityContext: {privileged: false}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: "root\u001b[2K"}
spec: {template: {spec: {hostNetwork: true, containers: [{name: c, securityContext: {privileged: true}}], volumes: [{name: v, hostPath: {path: /}}]}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: deep}
spec: {jobTemplate: {spec: {template: {spec: {hostPID: true}}}}}
`

func parsed(t *testing.T, text string) *labfile.Lab {
	t.Helper()
	lab, diags := labfile.Parse(labfile.Source{Name: "lab.hcl", Bytes: []byte(text), Dir: fstest.MapFS{}}, labfile.Options{Catalogue: scenarios.Definitions()})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return lab
}

func TestWhatIsNotLabctlsOwnIsSaid(t *testing.T) {
	got, err := foreign(parsed(t, theirLab))
	want := []string{
		"cluster.kind.c: its nodes are privileged containers of the image evil/node:v1, which the lab file names",
		"host.ec2.h: it boots the machine image ami-0123456789abcdef0, which the lab file names",
		"scenarios that the lab file defines: imagepull. `labctl solve` asks before it runs their commands on this machine",
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, got\n%s", err, strings.Join(got, "\n"))
	}
	own := "lab \"l\" {}\ncluster \"kind\" \"c\" {\n  kubernetes = \"1.35\"\n  node \"control-plane\" {}\n}\nscenario \"crashloop\" {}\nscenario \"imagepull\" {}\n"
	if got, err := foreign(parsed(t, own)); err != nil || len(got) > 0 {
		t.Errorf("of the catalogue alone: %q, %v", got, err)
	}
	if got, want := powers([]byte(theirPods)), []string{"Deployment root\x1b[2K (hostNetwork, hostPath, privileged)", "CronJob deep (hostPID)"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func theirScenario(t *testing.T) *labfile.Scenario {
	t.Helper()
	lab := parsed(t, theirLab)
	return lab.Scenarios[slices.IndexFunc(lab.Scenarios, func(s *labfile.Scenario) bool { return s.Name == "imagepull" })]
}

// TestWhoseCommandsRunUnasked: a lab file's solution is not the catalogue's, whatever it calls itself.
func TestWhoseCommandsRunUnasked(t *testing.T) {
	theirs := theirScenario(t)
	a := newApp(Process{})
	err := a.consent(t.Context(), theirs)
	if clierr.ClassOf(err) != clierr.Refused || !strings.Contains(clierr.NextOf(err), "labctl solve imagepull --yes") {
		t.Errorf("without a terminal: %v, %q", err, clierr.NextOf(err))
	}
	a.yes = true
	if err := a.consent(t.Context(), theirs); err != nil {
		t.Errorf("with --yes: %v", err)
	}
	a.yes = false
	catalogue, err := scenarios.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for name, def := range catalogue {
		if def.Solution == nil {
			continue
		}
		if err := a.consent(t.Context(), &labfile.Scenario{Definition: def}); err != nil {
			t.Errorf("the catalogue's %s: %v", name, err)
		}
		changed := *def
		changed.Solution = &labfile.Remedy{Run: append(slices.Clone(def.Solution.Run), "rm -rf ~")}
		if err := a.consent(t.Context(), &labfile.Scenario{Definition: &changed}); err == nil {
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

func TestASolutionHasNoCredentials(t *testing.T) {
	got := solveEnv([]string{"PATH=/bin", "AWS_SECRET_ACCESS_KEY=x", "GITHUB_TOKEN=x", "KUBECONFIG=/k", "LC_ALL=C", "SSH_AUTH_SOCK=/s", "DOCKER_HOST=unix:///d", "HTTPS_PROXY=http://u:p@x"})
	if want := []string{"PATH=/bin", "KUBECONFIG=/k", "LC_ALL=C", "DOCKER_HOST=unix:///d"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// onTerminal is an app whose user sits at a terminal, of which the other side is returned.
func onTerminal(t *testing.T) (*app, *os.File) {
	t.Helper()
	master, terminal, err := shell.OpenTerminal()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close(); master.Close() })
	return newApp(Process{In: terminal, Err: terminal, Environ: []string{"TERM=xterm"}}), master
}

// shows reads a terminal until it has shown the text.
func shows(t *testing.T, master *os.File, text string) string {
	t.Helper()
	var seen bytes.Buffer
	buf := make([]byte, 1024)
	for !bytes.Contains(seen.Bytes(), []byte(text)) {
		n, err := master.Read(buf)
		seen.Write(buf[:n])
		if err != nil {
			t.Fatalf("%v; it shows %q", err, &seen)
		}
	}
	return seen.String()
}

func TestTheQuestionIsAnswered(t *testing.T) {
	for typed, want := range map[string]clierr.Class{"y\n": -1, "n\n": clierr.Refused, "\n": clierr.Refused} {
		a, master := onTerminal(t)
		answered := make(chan error, 1)
		go func() { answered <- a.consent(t.Context(), theirScenario(t)) }()
		if seen := shows(t, master, "[y/N] "); !strings.Contains(seen, `#\x1b[2K`) {
			t.Errorf("asked without what it is about: %q", seen)
		}
		_, _ = io.WriteString(master, typed)
		if err := <-answered; (want == -1) != (err == nil) || err != nil && clierr.ClassOf(err) != want {
			t.Errorf("%q: %v", typed, err)
		}
	}
}

// TestOneCtrlCIsEnough: a question that nobody answers ends with the context, while the progress stands still.
func TestOneCtrlCIsEnough(t *testing.T) {
	a, master := onTerminal(t)
	v := a.view()
	defer v.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	answered := make(chan bool, 1)
	go func() { answered <- a.ask(ctx, "Go on?") }()
	shows(t, master, "Go on? [y/N] ")
	cancel(errInterrupted)
	select {
	case yes := <-answered:
		if yes {
			t.Error("the answer is yes")
		}
	case <-time.After(10 * time.Second):
		t.Error("the question outlives Ctrl-C")
	}
}
