package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is a small module with every way in which a test can end.
var module = map[string]string{
	"go.mod": "module example.test\n\ngo 1.26\n",
	"good/good_test.go": `package good
import ("fmt"; "testing")
func TestPlain(t *testing.T) { t.Log("quiet unless it fails"); fmt.Println("result: a sweep: 3 points") }
func TestSkipped(t *testing.T) { t.Skip("no moon tonight") }
func TestScripts(t *testing.T) { t.Run("up", func(*testing.T) {}); t.Run("down", func(*testing.T) {}) }
func TestKillUp(t *testing.T) { t.Run("before-1", func(*testing.T) {}); t.Run("after-1", func(t *testing.T) { t.Error("left a container") }) }
func FuzzDecode(f *testing.F) { f.Add("a"); f.Add("b"); f.Fuzz(func(*testing.T, string) {}) }
`,
	"parent/parent_test.go": `package parent
import "testing"
func TestGroup(t *testing.T) { t.Run("fine", func(*testing.T) {}); t.Error("the group itself") }
`,
	"panics/panics_test.go": `package panics
import "testing"
func TestPanics(t *testing.T) { panic("boom") }
func TestNeverStarts(t *testing.T) {}
`,
	"main/main_test.go": `package main
import ("os"; "testing")
func TestMain(*testing.M) { os.Exit(7) }
func TestNever(t *testing.T) {}
`,
	"broken/broken_test.go": `package broken
func oops() { undefined() }
`,
}

// goTest runs go with the arguments in the module above and returns what it prints, whether or not it fails.
func goTest(t *testing.T, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	for name, text := range module {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := cmd.Output()
	if len(out) == 0 {
		t.Fatalf("go %s printed nothing: %v", strings.Join(args, " "), err)
	}
	return out
}

func TestFollowsARealRun(t *testing.T) {
	var shown bytes.Buffer
	record, err := follow(bytes.NewReader(goTest(t, "test", "-json", "./...")), printer{out: &shown})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, test := range record.Tests {
		got = append(got, strings.TrimPrefix(test.String(), "example.test/")+" "+test.Result)
	}
	slices.Sort(got)
	want := []string{
		"broken fail",
		"good FuzzDecode/seed#0 pass",
		"good FuzzDecode/seed#1 pass",
		"good TestKillUp/after-1 fail",
		"good TestKillUp/before-1 pass",
		"good TestPlain pass",
		"good TestScripts/down pass",
		"good TestScripts/up pass",
		"good TestSkipped skip",
		"main fail",
		"panics TestPanics fail",
		"parent TestGroup fail",
		"parent TestGroup/fine pass",
	}
	if !slices.Equal(got, want) {
		t.Errorf("leaves:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !slices.Equal(record.Said, []string{"a sweep: 3 points"}) {
		t.Errorf("told: %q", record.Said)
	}
	for _, text := range []string{"left a container", "the group itself", "panic: boom", "undefined: undefined", "no moon tonight"} {
		if !strings.Contains(shown.String(), text) {
			t.Errorf("what was shown lacks %q:\n%s", text, &shown)
		}
	}
	if strings.Contains(shown.String(), "quiet unless it fails") {
		t.Errorf("what was shown has the log of a test that passed:\n%s", &shown)
	}
}

func TestListsWhatWouldHaveRun(t *testing.T) {
	record, err := listed(bytes.NewReader(goTest(t, "test", "-list", ".", "./good", "./parent")))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, test := range record.Tests {
		got = append(got, test.Package+" "+test.Name+test.Result)
	}
	want := []string{
		"example.test/good TestPlain", "example.test/good TestSkipped", "example.test/good TestScripts",
		"example.test/good TestKillUp", "example.test/good FuzzDecode", "example.test/parent TestGroup",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// stages returns two records: the second has TestTwice again, and one that the first has not.
func stages(clusterResult string) []Record {
	return []Record{
		{Stage: "unit", Tests: []Test{
			{Package: "p", Name: "TestTwice", Result: "pass"},
			{Package: "p", Name: "FuzzX/seed#0", Result: "pass"},
		}},
		{Stage: realCluster, Said: []string{"a sweep: 3 points"}, Tests: []Test{
			{Package: "p", Name: "TestTwice", Result: "pass"},
			{Package: "e2e", Name: "TestUp", Result: clusterResult, Reason: "because"},
			{Package: "e2e", Name: "TestKillUp/1", Result: "pass"},
		}},
	}
}

func TestSum(t *testing.T) {
	notRun := stages("")
	notRun[1].Why = "no Docker engine"
	notRun[1].Tests = []Test{{Package: "p", Name: "FuzzX"}, notRun[1].Tests[1]}
	nothing := []Record{{Stage: realCluster, Why: "it did not build"}, stages("pass")[0]}
	for name, c := range map[string]struct {
		records []Record
		strict  bool
		last    string
		shown   []string
		fails   bool
	}{
		"all passed":                  {stages("pass"), true, "4 passed, 0 failed, 0 skipped", []string{"Told by the tests:\n  a sweep: 3 points\n", "unit           1 passed", "fuzz seeds     1 passed", "kill points    1 passed", "real-cluster   1 passed"}, false},
		"one failed":                  {stages("fail"), false, "3 passed, 1 failed, 0 skipped", []string{"Failed:\n  e2e TestUp"}, true},
		"one skipped":                 {stages("skip"), false, "3 passed, 0 failed, 1 skipped", []string{"Not run:\n  e2e TestUp: because"}, false},
		"one skipped, strict":         {stages("skip"), true, "3 passed, 1 failed, 0 skipped", []string{"e2e TestUp (did not run)"}, true},
		"stage not run":               {notRun, false, "2 passed, 0 failed, 1 skipped", []string{"real-cluster   NOT RUN, 1 tests: no Docker engine"}, false},
		"stage not run, strict":       {notRun, true, "2 passed, 1 failed, 0 skipped", []string{"real-cluster   NOT RUN, 1 tests: no Docker engine"}, true},
		"stage without tests, strict": {nothing, true, "2 passed, 1 failed, 0 skipped", []string{"the real-cluster stage: it did not build"}, true},
		"nothing at all":              {[]Record{{Stage: "unit"}}, false, "0 passed, 0 failed, 0 skipped", nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := sum(c.records, c.strict).print(&out)
			if (err != nil) != c.fails {
				t.Errorf("error %v, want failure %v", err, c.fails)
			}
			if !strings.HasSuffix(out.String(), "\n"+c.last+"\n") {
				t.Errorf("last line is not %q:\n%s", c.last, &out)
			}
			for _, want := range c.shown {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in:\n%s", want, &out)
				}
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "unit.json")
	passed := `{"Action":"run","Package":"p","Test":"TestA"}` + "\n" + `{"Action":"pass","Package":"p","Test":"TestA"}` + "\n"
	// A stream that ends in the middle: the test never ended, so it has failed.
	cut := passed + `{"Action":"run","Package":"p","Test":"TestB"}`
	for _, c := range []struct {
		args  []string
		stdin string
		want  int
	}{
		{[]string{"record", "-out", file}, passed, 0},
		{[]string{"sum", file}, "", 0},
		{[]string{"record", "-out", file}, cut, 1},
		{[]string{"sum", file}, "", 1},
		{[]string{"record"}, passed, 2},
		{[]string{"sum"}, "", 2},
		{[]string{"sum", file + ".absent"}, "", 2},
		{[]string{"guess"}, "", 2},
		{nil, "", 2},
	} {
		var stderr bytes.Buffer
		if got := run(c.args, strings.NewReader(c.stdin), &bytes.Buffer{}, &stderr); got != c.want {
			t.Errorf("tally %s: exit code %d, want %d\n%s", strings.Join(c.args, " "), got, c.want, &stderr)
		}
	}
}
