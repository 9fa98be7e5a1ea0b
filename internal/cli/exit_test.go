package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-multierror"
	"github.com/hashicorp/hcl/v2"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/lab"
)

// codes are the documented exit codes.
var codes = map[clierr.Class]int{
	clierr.Failed: 1, clierr.Usage: 2, clierr.Refused: 3, clierr.NotHolding: 4, clierr.Inconclusive: 5, clierr.Leftover: 6, clierr.Interrupted: 130,
}

func TestExitCodeOfEachClass(t *testing.T) {
	if got := exitCode(nil); got != 0 {
		t.Errorf("no error: %d", got)
	}
	if got := exitCode(errors.New("without a class")); got != 1 {
		t.Errorf("an error without a class: %d", got)
	}
	for class, want := range codes {
		if got := exitCode(fmt.Errorf("cluster: %w", clierr.New(class, "x"))); got != want {
			t.Errorf("%s: %d, want %d", class, got, want)
		}
		if got := exitCode(clierr.Silent(class)); got != want {
			t.Errorf("%s, said already: %d, want %d", class, got, want)
		}
	}
	if len(codes) != len(exitCodes) {
		t.Errorf("%d classes have a code, %d are documented", len(exitCodes), len(codes))
	}
}

// When several apply: 130, 2, 3, 1, 6, 4, 5. Each pair is tried in both orders, joined and collected.
func TestExitCodePrecedence(t *testing.T) {
	order := []clierr.Class{clierr.Interrupted, clierr.Usage, clierr.Refused, clierr.Failed, clierr.Leftover, clierr.NotHolding, clierr.Inconclusive}
	for i, first := range order {
		for _, second := range order[i+1:] {
			for _, pair := range [][2]error{
				{clierr.New(first, "first"), clierr.New(second, "second")},
				{clierr.New(second, "second"), clierr.New(first, "first")},
			} {
				for how, err := range map[string]error{
					"joined":            errors.Join(pair[0], pair[1]),
					"collected":         multierror.Append(nil, pair[0], pair[1]),
					"collected, nested": multierror.Append(nil, pair[0], fmt.Errorf("inner: %w", errors.Join(pair[1]))),
				} {
					if got := exitCode(err); got != codes[first] {
						t.Errorf("%s and %s, %s: %d, want %d", first, second, how, got, codes[first])
					}
				}
			}
		}
	}
}

// Every leaf is printed with what to type next; one that was said already is not said again.
func TestReport(t *testing.T) {
	disk := clierr.New(clierr.Refused, "no disk").WithNext("Free some.")
	inotify := clierr.New(clierr.Refused, "no inotify").WithNext("Raise it.")
	both := fmt.Errorf("engine: %w", multierror.Append(nil, disk, inotify))
	text, code := reported(t, "text", both)
	if code != 3 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"engine: no disk", "Next: Free some.", "engine: no inotify", "Next: Raise it."} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q is there %d times in:\n%s", want, strings.Count(text, want), text)
		}
	}
	if text, code := reported(t, "text", clierr.Silent(clierr.NotHolding)); text != "" || code != 4 {
		t.Errorf("said already: %q, exit %d", text, code)
	}
	if text, code := reported(t, "text", commandExit{clierr.Silent(clierr.Failed), 42}); text != "" || code != 42 {
		t.Errorf("a command's own exit code: %q, exit %d", text, code)
	}
}

func TestReportJSON(t *testing.T) {
	err := errors.Join(
		clierr.New(clierr.Inconclusive, "no engine").WithNext("Start it."),
		&lab.Invalid{Diagnostics: hcl.Diagnostics{{
			Severity: hcl.DiagError, Summary: "Unknown attribute",
			Subject: &hcl.Range{Filename: "a.hcl", Start: hcl.Pos{Line: 3, Column: 5}, End: hcl.Pos{Line: 3, Column: 6}},
		}}},
	)
	text, code := reported(t, "json", err)
	var got struct {
		Exit   int
		Errors []struct {
			Class, Error, Next, File string
			Line, Column             int
		}
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if code != 2 || got.Exit != 2 || len(got.Errors) != 2 {
		t.Fatalf("exit %d, %+v", code, got)
	}
	if e := got.Errors[0]; e.Class != "inconclusive" || e.Error != "no engine" || e.Next != "Start it." || e.File != "" {
		t.Errorf("first: %+v", e)
	}
	if e := got.Errors[1]; e.Class != "usage" || e.Error != "Unknown attribute" || e.File != "a.hcl" || e.Line != 3 || e.Column != 5 {
		t.Errorf("second: %+v", e)
	}
}

// reported returns what labctl says of an error, and its exit code.
func reported(t *testing.T, output string, err error) (string, int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stderr")
	file, ferr := os.Create(path)
	if ferr != nil {
		t.Fatal(ferr)
	}
	defer file.Close()
	a := newApp(Process{Err: file, Out: file})
	a.output = output
	code := a.report(err)
	text, ferr := os.ReadFile(path)
	if ferr != nil {
		t.Fatal(ferr)
	}
	return string(text), code
}
