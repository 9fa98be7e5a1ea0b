package view

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
)

// crlf is what a terminal's driver makes of a line's end.
type crlf struct{ w io.Writer }

func (c crlf) Write(b []byte) (int, error) {
	_, err := c.w.Write(bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")))
	return len(b), err
}

const sentence = "the registry says that the image nginx:99999 does not exist; the container has never started, and `kubectl describe pod imagepull` says why"

// results prints one of each, with texts that fit into no terminal of 80 columns.
func results(p *Printer) {
	p.Title("day10: %s", sentence)
	p.Text("1. %s\n   and indented: %s", sentence, sentence)
	p.Table([]string{"SCENARIO", "KIND", "STATE", "TITLE"}, [][]string{
		{"multi-container", "demo", "holds", "Two containers that share a pod's network and its volumes"},
		{"imagepull", "break", "broken", sentence},
	})
	p.Table([]string{"LAB", "OWNER", "STATE", "CLUSTER", "DETAIL"}, [][]string{
		{"day10-of-a-class", "somebody", "partial", "my-cluster-of-a-class", "my-cluster-worker2 is exited; `labctl up` repairs it"},
		{"short", "", "up", "c", "3 containers run"},
	})
	p.List(
		Item{Mark: Good, Name: "cluster.kind.my-cluster", Text: "3 nodes ready, Kubernetes 1.35.4"},
		Item{Mark: Bad, Name: "scenario.imagepull", Text: sentence, Parts: []Item{{Mark: Good, Text: sentence, Evidence: []string{sentence}}}, Evidence: []string{sentence, "one\ntwo " + sentence}},
	)
	p.Next(sentence, "Another: "+sentence)
	p.Problem(clierr.New(clierr.Refused, "locking: %s", sentence).WithNext("%s", sentence))
	p.Problem(errors.New(sentence))
	p.Help("labctl provisions the lab that a file declares: a kind cluster, and on it failures that are\nthere on purpose.\n\nUsage:\n  labctl [command]\n\nFlags:\n      --owner string    whose lab it is (default: $LABCTL_OWNER, else your user name; on AWS your ARN)\n")
}

func progressOf(v View) {
	v.Emit(event.Started{Addr: "cluster.kind.my-cluster", Verb: event.Apply, Expect: time.Minute})
	v.Emit(event.Progress{Addr: "cluster.kind.my-cluster", Step: sentence})
	v.Emit(event.Milestone{Addr: "cluster.kind.my-cluster", Name: "nodes"})
	v.Emit(event.Notice{Text: sentence + "\n" + sentence})
	v.Emit(event.Notice{Addr: "mirror.registry", Text: sentence, Warning: true})
	time.Sleep(time.Second)
	v.Emit(event.Finished{Addr: "cluster.kind.my-cluster", Verb: event.Apply, Result: event.Failed, Detail: sentence, Error: sentence, Elapsed: time.Minute})
	v.Emit(event.Started{Addr: "scenario.imagepull", Verb: event.Apply, Expect: time.Second})
	v.Emit(event.Progress{Addr: "scenario.imagepull", Step: sentence, Expect: time.Second})
	time.Sleep(5 * time.Second)
	v.Close()
}

func TestTextIsBrokenBetweenWords(t *testing.T) {
	known := map[string]bool{}
	for _, word := range strings.Fields(printed(0)) {
		known[word] = true
	}
	for _, width := range []int{30, 45, 80, 200} {
		for _, what := range []string{"results", "progress", "plain"} {
			s := newScreen(width, 24)
			switch what {
			case "results":
				results(NewPrinter(crlf{s}, true).Width(width))
			case "progress":
				synctest.Test(t, func(t *testing.T) { progressOf(New(TTY, s, Options{Size: s.size})) })
			case "plain":
				synctest.Test(t, func(t *testing.T) { progressOf(New(Plain, crlf{s}, Options{Size: s.size})) })
			}
			if len(s.broken) > 0 || len(s.problems) > 0 {
				t.Errorf("%s in %d columns: the terminal had to break %q; %q", what, width, s.broken, s.problems)
			}
			if what == "results" {
				for _, word := range strings.Fields(s.text()) {
					if !known[word] {
						t.Errorf("in %d columns %q is no word, but a part of one:\n%s", width, word, s.text())
						break
					}
				}
			}
			if width >= 45 && !strings.Contains(strings.Join(strings.Fields(s.text()), " "), sentence) {
				t.Errorf("%s in %d columns: words are missing:\n%s", what, width, s.text())
			}
		}
	}
}

// printed is what results prints at a width.
func printed(width int) string {
	var out bytes.Buffer
	results(NewPrinter(&out, false).Width(width))
	return out.String()
}

func TestNothingIsWrappedOffATerminal(t *testing.T) {
	for _, line := range []string{
		"imagepull        break  broken  " + sentence, "✗ scenario.imagepull       " + sentence, "    " + sentence, "labctl: " + sentence,
	} {
		if !strings.Contains(printed(0), line+"\n") {
			t.Errorf("%q is not one line of\n%s", line, printed(0))
		}
	}
}

func TestTableOnTerminals(t *testing.T) {
	rows := [][]string{{"day10", "partial", "my-cluster-worker2 is exited; `labctl up` repairs it"}, {"day11", "up", "3 containers run"}}
	for width, want := range map[int]string{
		45: `
LAB    STATE    DETAIL
day10  partial  my-cluster-worker2 is exited;
                ` + "`labctl up`" + ` repairs it
day11  up       3 containers run
`,
		30: `
LAB     day10
STATE   partial
DETAIL
    my-cluster-worker2 is
    exited; ` + "`labctl up`" + `
    repairs it

LAB     day11
STATE   up
DETAIL  3 containers run
`} {
		var out bytes.Buffer
		NewPrinter(&out, false).Width(width).Table([]string{"LAB", "STATE", "DETAIL"}, rows)
		if got := "\n" + out.String(); got != want {
			t.Errorf("in %d columns:%s\nwant:%s", width, got, want)
		}
	}
}
