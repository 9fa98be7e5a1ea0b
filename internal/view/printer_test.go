package view

import (
	"errors"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
)

func TestResults(t *testing.T) {
	var out strings.Builder
	p := NewPrinter(&out, false)
	p.Title("day10: %s", "Pods")
	p.Table([]string{"SCENARIO", "KIND", "STATE"}, [][]string{
		{"imagepull", "break", "broken"},
		{"世界", "demo"},
		{"x", "", "two\nlines", "more"},
	})
	p.Blank()
	p.List(
		Item{Mark: Good, Name: "cluster.kind.c", Text: "3 nodes run", Parts: []Item{{Mark: Good, Text: "a\npart"}, {Mark: Bad, Text: "another", Evidence: []string{"seen\nthere"}}}},
		Item{Mark: Bad, Name: "scenario.crashloop", Text: "the symptom does not hold", Evidence: []string{`self.status.phase == "Running"`, "phase: Pending\nreason: x\n"}},
		Item{Mark: Uncertain, Text: "the API does not answer"},
		Item{Mark: Keep, Name: "mirror"},
	)
	p.Next()
	p.Next("")
	p.Next("labctl shell", "", "labctl down day10")
	p.Problem(clierr.New(clierr.Refused, "locking lab x: %w", errors.New("held\nby y")).WithNext("Wait."))
	p.Problem(errors.New("no hint\x1b[2J"))
	want := `day10: Pods
SCENARIO   KIND   STATE
imagepull  break  broken
世界       demo
x                 two lines  more

✓ cluster.kind.c      3 nodes run
    ✓ a part
    ✗ another
        seen
        there
✗ scenario.crashloop  the symptom does not hold
    self.status.phase == "Running"
    phase: Pending
    reason: x
?                     the API does not answer
= mirror
Next: labctl shell
      labctl down day10
labctl: locking lab x: held
  by y
Next: Wait.
labctl: no hint\x1b[2J
`
	if out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
	}
	if p.err != nil {
		t.Error(p.err)
	}
}

func TestListWithoutNames(t *testing.T) {
	var out strings.Builder
	NewPrinter(&out, false).List(Item{Text: "one"}, Item{Mark: Create, Text: "two"}, Item{Mark: Change}, Item{Mark: Destroy, Text: "x"})
	if want := "· one\n+ two\n~\n- x\n"; out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
	}
}

func TestColourOfResults(t *testing.T) {
	var out strings.Builder
	p := NewPrinter(&out, true)
	p.Table([]string{"A", "B"}, [][]string{{"1", "2"}})
	p.List(Item{Mark: Bad, Text: "no", Evidence: []string{"seen"}})
	p.Next("go")
	want := "\x1b[1mA  B\x1b[0m\n1  2\n\x1b[31m✗\x1b[0m no\n    \x1b[2mseen\x1b[0m\n\x1b[1mNext: \x1b[0mgo\n"
	if out.String() != want {
		t.Errorf("printed %q\nwant    %q", out.String(), want)
	}
}

// failing takes a number of writes and fails after them.
type failing struct{ writes, left int }

func (f *failing) Write(b []byte) (int, error) {
	f.writes++
	if f.left--; f.left < 0 {
		return 0, errors.New("broken pipe")
	}
	return len(b), nil
}

func TestPrinterStopsAtTheFirstError(t *testing.T) {
	f := &failing{left: 1}
	p := NewPrinter(f, false)
	p.Text("one")
	p.Text("two")
	p.Text("three")
	if p.err == nil || f.writes != 2 {
		t.Errorf("%d writes and error %v; want the second to fail and to be the last", f.writes, p.err)
	}
}
