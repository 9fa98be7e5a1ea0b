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

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/labfile"
)

// codes are the documented exit codes.
var codes = map[clierr.Class]int{
	clierr.Failed: 1, clierr.Usage: 2, clierr.Refused: 3, clierr.NotHolding: 4, clierr.Unknown: 5, clierr.Leftover: 6, clierr.Interrupted: 130,
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
		if got := exitCode(silent(class)); got != want {
			t.Errorf("%s, said already: %d, want %d", class, got, want)
		}
	}
	if len(codes) != len(exitCodes) {
		t.Errorf("%d classes have a code, %d are documented", len(exitCodes), len(codes))
	}
}

// When several apply: 130, 2, 3, 1, 6, 4, 5. Each pair is tried in both orders, joined and collected.
// Exit code 3 says that nothing was touched.
func TestARefusalAfterAnActIsAFailure(t *testing.T) {
	refused := clierr.New(clierr.Refused, "pod/web is somebody else's").WithNext("Rename it.")
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"alone":   {fmt.Errorf("scenario.web: %w", refused), 1},
		"several": {errors.Join(refused, clierr.New(clierr.Unknown, "no answer")), 1},
		"none":    {clierr.New(clierr.Unknown, "no answer"), 5},
		"nothing": {nil, 0},
	} {
		err := afterActs(c.err)
		if got := exitCode(err); got != c.want {
			t.Errorf("%s: exit %d, want %d", name, got, c.want)
		}
		if c.want == 1 && (clierr.NextOf(leaves(err)[0]) != "Rename it." || !strings.Contains(err.Error(), "somebody else's")) {
			t.Errorf("%s: %v loses its words", name, err)
		}
	}
}

func TestExitCodePrecedence(t *testing.T) {
	order := []clierr.Class{clierr.Interrupted, clierr.Usage, clierr.Refused, clierr.Failed, clierr.Leftover, clierr.NotHolding, clierr.Unknown}
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

func TestLeaves(t *testing.T) {
	a, b, c := errors.New("a"), errors.New("b"), errors.New("c")
	for name, row := range map[string]struct {
		err  error
		want string
	}{
		"one":                          {a, "a"},
		"wrapped":                      {fmt.Errorf("doing: %w", a), "doing: a"},
		"joined":                       {errors.Join(a, b), "a|b"},
		"collected":                    {multierror.Append(nil, a, b), "a|b"},
		"joined in collected":          {multierror.Append(nil, a, errors.Join(b, c)), "a|b|c"},
		"two causes of one error":      {fmt.Errorf("%w: %w", a, b), "a: b"},
		"a wrapped one keeps its lead": {multierror.Append(nil, fmt.Errorf("mirror: %w", a), fmt.Errorf("cluster: %w", b)), "mirror: a|cluster: b"},
		// What was collected in one part of a lab and wrapped with its address.
		"collected, then wrapped": {fmt.Errorf("cluster.kind.x: %w", multierror.Append(nil, a, b)), "cluster.kind.x: a|cluster.kind.x: b"},
		"joined, then wrapped":    {fmt.Errorf("cluster.kind.x: %w", errors.Join(a, b)), "cluster.kind.x: a|cluster.kind.x: b"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, e := range leaves(row.err) {
				got = append(got, e.Error())
			}
			if strings.Join(got, "|") != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
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
	if text, code := reported(t, "text", silent(clierr.NotHolding)); text != "" || code != 4 {
		t.Errorf("said already: %q, exit %d", text, code)
	}
	if text, code := reported(t, "text", commandExit{silent(clierr.Failed), 42}); text != "" || code != 42 {
		t.Errorf("a command's own exit code: %q, exit %d", text, code)
	}
}

func TestReportJSON(t *testing.T) {
	err := errors.Join(
		clierr.New(clierr.Unknown, "no engine").WithNext("Start it."),
		problems{{Severity: "error", Summary: "Unknown attribute", File: "a.hcl", Line: 3, Column: 5}},
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
	if e := got.Errors[0]; e.Class != "cannot-tell" || e.Error != "no engine" || e.Next != "Start it." || e.File != "" {
		t.Errorf("first: %+v", e)
	}
	if e := got.Errors[1]; e.Class != "usage" || e.Error != "Unknown attribute" || e.File != "a.hcl" || e.Line != 3 || e.Column != 5 {
		t.Errorf("second: %+v", e)
	}
}

var _ error = problems([]labfile.Problem{})

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
