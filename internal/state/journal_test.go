package state

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
)

func TestJournalRecordsActs(t *testing.T) {
	lab := testLab(t)
	j := journal(t, lab)
	if _, err := os.Stat(lab.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Error("opening the journal made a directory")
	}
	run, err := j.Begin(Act{Verb: "docker run", Object: "w1", Addr: "cluster.kind.c", Detail: "--label x"})
	if err != nil {
		t.Fatal(err)
	}
	pull := begin(t, j, "docker pull")
	remove := begin(t, j, "docker rm")
	if err := pull.Done(errors.New("exit status 1\nno space")); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second is not recorded
		if err := run.Done(nil); err != nil {
			t.Fatal(err)
		}
	}
	_ = remove
	got, err := j.Records()
	if err != nil {
		t.Fatal(err)
	}
	r := func(n, id int, phase Phase, a Act, failure string) Record {
		return Record{1, n, id, phase, noon, os.Getpid(), a.Verb, a.Object, a.Addr, a.Detail, failure}
	}
	first := Act{"docker run", "w1", "cluster.kind.c", "--label x"}
	want := []Record{
		r(1, 1, Begin, first, ""),
		r(2, 2, Begin, Act{Verb: "docker pull"}, ""),
		r(3, 3, Begin, Act{Verb: "docker rm"}, ""),
		r(4, 2, Failed, Act{Verb: "docker pull"}, "exit status 1\nno space"),
		r(5, 1, Done, first, ""),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("records\n%v\nwant\n%v", got, want)
	}
	open, err := j.Unfinished()
	if err != nil || !reflect.DeepEqual(open, want[2:3]) {
		t.Errorf("unfinished %v, %v; want %v", open, err, want[2:3])
	}
}

func TestJournalFromManyProcesses(t *testing.T) {
	lab := testLab(t)
	const processes, acts = 4, 25
	var helpers []*helper
	for range processes {
		helpers = append(helpers, start(t, lab.home.Dir, "append", fmt.Sprint(acts)))
	}
	// And goroutines of this process.
	j, failed := journal(t, lab), make(chan error)
	for range 2 {
		go func() {
			for range acts {
				p, err := j.Begin(Act{Verb: "test", Object: "here"})
				if err == nil {
					err = p.Done(nil)
				}
				if err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	for range 2 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	for _, h := range helpers {
		if err := h.Wait(); err != nil {
			t.Errorf("a helper: %v", err)
		}
	}
	records, err := j.Records() // checks that the numbers are 1, 2, 3, ...
	if err != nil {
		t.Fatal(err)
	}
	if want := (processes + 2) * acts * 2; len(records) != want {
		t.Errorf("%d records; want %d", len(records), want)
	}
	if open, err := j.Unfinished(); err != nil || len(open) != 0 {
		t.Errorf("unfinished: %v, %v", open, err)
	}
	for _, r := range records {
		if b := records[r.ID-1]; b.Object != r.Object || b.PID != r.PID || b.Phase != Begin {
			t.Errorf("record %d says it is of act %d, which is %+v", r.N, r.ID, b)
		}
	}
}

func TestJournalCutShort(t *testing.T) {
	lab := testLab(t)
	j := journal(t, lab)
	begin(t, j, "first")
	begin(t, j, "second")
	whole, err := os.ReadFile(lab.Path(JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	second := strings.Index(string(whole), "\n") + 1
	// Also when only the line's end is missing: whoever wrote it has not acted on it.
	for cut := second; cut < len(whole); cut++ {
		put(t, lab, JournalFile, string(whole[:cut]))
		records, err := j.Records()
		if err != nil || len(records) != 1 || records[0].Verb != "first" {
			t.Fatalf("cut at %d: %v, %v; want the first record", cut, records, err)
		}
		begin(t, j, "third")
		records, err = j.Records()
		if err != nil || len(records) != 2 || records[1].Verb != "third" || records[1].N != 2 {
			t.Fatalf("cut at %d, then appended: %v, %v", cut, records, err)
		}
	}
}

func TestDamagedJournalIsReported(t *testing.T) {
	lab := testLab(t)
	j := journal(t, lab)
	for _, verb := range []string{"first", "second", "third"} {
		begin(t, j, verb)
	}
	data, err := os.ReadFile(lab.Path(JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(data), "\n")
	for name, text := range map[string]string{
		"half a line in the middle": lines[0] + lines[1][:20] + "\n" + lines[2],
		"a line missing":            lines[0] + lines[2],
		"a line doubled":            lines[0] + lines[0],
		"an empty line":             lines[0] + "\n" + lines[1],
		"zeroes":                    lines[0] + strings.Repeat("\x00", 100) + "\n",
		"an unknown phase":          lines[0] + strings.Replace(lines[1], "begin", "maybe", 1),
		"an act of the future":      lines[0] + strings.Replace(lines[1], `"id":2`, `"id":3`, 1),
		"a begin within an act":     lines[0] + strings.Replace(lines[1], `"id":2`, `"id":1`, 1),
		"no version":                lines[0] + strings.Replace(lines[1], `"v":1,`, ``, 1),
	} {
		put(t, lab, JournalFile, text)
		records, err := j.Records()
		if err == nil || !strings.Contains(err.Error(), "line 2") || clierr.NextOf(err) == "" {
			t.Errorf("%s: %v (%s); want an error about line 2 that says what to do", name, err, clierr.NextOf(err))
		}
		if len(records) != 1 || records[0].Verb != "first" {
			t.Errorf("%s: records %v; want the one that can be read", name, records)
		}
		// The lab can still be worked on.
		begin(t, j, "fourth")
	}
	put(t, lab, JournalFile, lines[0]+strings.Replace(lines[1], `"v":1`, `"v":9`, 1))
	if _, err := j.Unfinished(); clierr.ClassOf(err) != clierr.Refused || !strings.Contains(err.Error(), "version 9") {
		t.Errorf("a newer record: %v; want a refusal that names version 9", err)
	}
}

func TestDoneAfterRemove(t *testing.T) {
	lab := testLab(t)
	p := begin(t, journal(t, lab), "remove the state")
	if err := lab.Remove(); err != nil {
		t.Fatal(err)
	}
	if err := p.Done(nil); err != nil {
		t.Errorf("Done: %v", err)
	}
	if _, err := os.Stat(lab.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Error("Done brought the lab's directory back")
	}
}

func TestLongErrorsAreShortened(t *testing.T) {
	j := journal(t, testLab(t))
	if err := begin(t, j, "x").Done(errors.New(strings.Repeat("ä", 1<<20))); err != nil {
		t.Fatal(err)
	}
	records, err := j.Records()
	if err != nil || len(records) != 2 || len(records[1].Error) > 4*mostError || strings.ContainsRune(records[1].Error, '\uFFFD') {
		t.Errorf("%d records, %v", len(records), err)
	}
}

func journal(t *testing.T, lab *Lab) *Journal {
	t.Helper()
	j, err := lab.OpenJournal()
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func begin(t *testing.T, j *Journal, verb string) *Pending {
	t.Helper()
	p, err := j.Begin(Act{Verb: verb})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
