package view

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/text"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Words that are hard to lay out: of two columns, of several code points, with marks, longer than a narrow terminal.
const (
	wide  = "世界の地図を見る 🇩🇪 👩‍🔬 und ❤️ stehen in e\u0301te\u0301 👍🏽 neben größe, ohne daß eine Spalte verrutscht"
	arn   = "arn:aws:sts::123456789012:assumed-role/CourseOfNovember/somebody@example.org"
	image = "registry.example.org/course/labctl-node@sha256:4e1f8b1c9d3a"
)

// screens are the kinds of what a Printer writes.
var screens = []struct {
	name  string
	print func(p *Printer)
}{
	{"title", func(p *Printer) {
		p.Title("CrashLoopBackOff: the program that starts and dies")
		p.Title("%s", sentence)
		p.Title("%s", wide)
	}},
	{"text", func(p *Printer) {
		p.Text("%s", sentence)
		p.Text("%s", wide)
		p.Text("1. %s\n   and `kubectl get pods --namespace default --watch` shows it.\n2. %s\n  - %s\n", sentence, wide, sentence)
		p.Text("  $ kubectl set image deployment/crashloop program=nginx:1.25 --namespace default --record")
		p.Text("An image: %s stands whole, so that it can be copied.", image)
	}},
	{"list", func(p *Printer) {
		p.List(
			Item{Mark: Good, Name: "cluster.kind.my-cluster", Text: "3 nodes ready, Kubernetes 1.35.4"},
			Item{Mark: Bad, Name: "scenario.imagepull", Text: sentence,
				Parts:    []Item{{Mark: Good, Text: sentence}, {Mark: Bad, Text: wide, Evidence: []string{sentence, "one\n  two " + sentence}}},
				Evidence: []string{"self.status.containerStatuses[0].state.waiting.reason = \"ImagePullBackOff\"", wide}},
			Item{Mark: Uncertain, Name: "scenario.世界", Text: wide},
			Item{Mark: Keep, Name: "mirror.registry.day10"},
		)
		p.List(Item{Mark: Create, Text: sentence}, Item{Mark: Destroy, Text: image})
	}},
	{"table", func(p *Printer) {
		p.Table([]string{"SCENARIO", "KIND", "STATE", "TITLE"}, [][]string{
			{"imagepull", "break", "broken", "ImagePullBackOff: the image that does not exist"},
			{"multi-container", "demo", "holds", wide},
			{"世界", "task", "-", "Short"},
		})
		p.Blank()
		p.Table([]string{"LAB", "OWNER", "STATE", "CLUSTER", "DETAIL"}, [][]string{
			{"day10", arn, "up", "my-cluster", "3 containers run"},
			{"day11", "somebody", "partial", "my-cluster-2", "my-cluster-2-worker2 is exited; `labctl up` repairs it"},
		})
		p.Blank()
		p.Table([]string{"WHERE", "LAB"}, nil)
	}},
	{"next", func(p *Printer) {
		p.Next("`labctl up day10.hcl --local` starts one.", sentence, "Have it allowed:\n  "+wide)
		p.Problem(clierr.New(clierr.Refused, "locking lab day10: %s\n%s", sentence, wide).WithNext("%s", sentence))
		p.Problem(errors.New(sentence))
	}},
	{"help", func(p *Printer) {
		p.Help(`labctl provisions the lab that a file declares: a kind cluster, and on it failures that are
there on purpose.

  labctl up day10.hcl --local     a cluster on this machine's Docker, with its failures
  labctl down                     all of it is gone

Usage:
  labctl up FILE [--local] [--name NAME]

Examples:
  labctl up day10.hcl --local
  labctl up day10.hcl --var region=eu-central-1 --var instance_type=t3.large

The lab:
  down        Remove everything of a lab, and prove that it is gone
  validate    Check a lab file, and touch nothing

Flags:
  -h, --help             help for up
      --keep-failed      keep a host that never became ready, to be looked at; it costs until its time is up
      --var NAME=value   set a variable of the file: --var region=eu-central-1 (may be given several times)
`)
	}},
}

// events is a run as a view sees it. pause is called when there is something to look at.
func events(v View, pause func()) {
	v.Emit(event.Notice{Text: sentence + "\n" + wide})
	v.Emit(event.Started{Addr: "cluster.kind.my-cluster", Verb: event.Apply, Expect: 65 * time.Second})
	v.Emit(event.Started{Addr: "scenario.世界", Verb: event.Apply})
	sleep(2 * time.Second)
	v.Emit(event.Progress{Addr: "cluster.kind.my-cluster", Step: sentence, Expect: 5 * time.Second})
	v.Emit(event.Milestone{Addr: "cluster.kind.my-cluster", Name: "api"})
	v.Emit(event.Progress{Addr: "scenario.世界", Step: wide})
	sleep(12 * time.Second)
	v.Emit(event.Notice{Addr: "mirror.registry.day10", Text: sentence, Warning: true})
	sleep(time.Second)
	pause()
	v.Emit(event.Finished{Addr: "scenario.世界", Verb: event.Apply, Result: event.Done, Detail: wide, Elapsed: 15 * time.Second})
	v.Emit(event.Finished{Addr: "mirror.registry.day10", Verb: event.Apply, Result: event.Failed, Detail: "1 of 2", Error: sentence, Elapsed: time.Minute})
	v.Close()
}

// rendered returns what a screen of a kind shows at a width, and the lines that the terminal itself had to break.
func rendered(t *testing.T, name string, print func(*Printer), width int) (shown string, broken []string) {
	s := newScreen(width, 24)
	switch name {
	case "progress":
		synctest.Test(t, func(t *testing.T) {
			events(New(TTY, s, Options{Size: s.size}), func() { shown = anySpinner(s.text()) + "\n-- and in the end\n" })
		})
	case "plain":
		synctest.Test(t, func(t *testing.T) { events(New(Plain, crlf{s}, Options{Size: s.size}), func() {}) })
	default:
		print(NewPrinter(crlf{s}, true).Width(width))
	}
	if len(s.problems) > 0 {
		t.Errorf("%s in %d columns: %q", name, width, s.problems)
	}
	return shown + s.text() + "\n", s.broken
}

// TestScreens shows every kind of screen at three widths. What the terminal has to break is one word that is wider
// than it, or a command to copy.
func TestScreens(t *testing.T) {
	kinds := append(screens, []struct {
		name  string
		print func(p *Printer)
	}{{name: "progress"}, {name: "plain"}}...)
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			got := ""
			for _, width := range []int{45, 80, 200} {
				shown, broken := rendered(t, kind.name, kind.print, width)
				for _, line := range broken {
					if len(strings.Fields(strings.TrimLeft(line, "- "))) > 1 && !strings.HasPrefix(line, "  $ ") {
						t.Errorf("in %d columns the terminal had to break %q", width, line)
					}
				}
				for _, line := range strings.Split(shown, "\n") {
					if text.Width(line) > width {
						t.Errorf("in %d columns a line of %d: %q", width, text.Width(line), line)
					}
				}
				got += fmt.Sprintf("%s %d\n%s\n", strings.Repeat("=", width-len(fmt.Sprint(width))-1), width, shown)
			}
			path := filepath.Join("testdata/screens", kind.name+".golden")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}
