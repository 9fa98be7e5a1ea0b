package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/view"
)

// TestMain makes labctl of the test's own binary where a test runs it as such.
func TestMain(m *testing.M) {
	if os.Getenv("LABCTL_TEST_MAIN") != "" {
		os.Exit(Main(Process{Args: append([]string{"labctl"}, os.Args[1:]...), Environ: os.Environ(), In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
	}
	os.Exit(m.Run())
}

// program returns a command that runs labctl with a home of its own and this script as `docker`.
func program(t *testing.T, docker string, args ...string) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte("#!/bin/sh\ncd "+dir+"\n"+docker), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Dir = dir
	cmd.Env = []string{"LABCTL_TEST_MAIN=1", "LABCTL_HOME=" + filepath.Join(dir, "home"), "HOME=" + dir, "LABCTL_OWNER=me",
		"PATH=" + dir + ":/usr/bin:/bin", "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null"}
	return cmd
}

// oneContainer is an engine that has one container of lab x until it is removed.
const oneContainer = `
case "$*" in
*status=removing*|*volume=*) ;;
ps*) [ -e removed ] || echo '{"id":"1","name":"x-control-plane","image":"i","state":"running","labels":"labctl.lab=x,labctl.owner=me,labctl.cluster=x"}' ;;
rm*) touch removed ;;
esac`

// closedPipe is the writing end of a pipe that nobody reads any more.
func closedPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// `labctl down | head -1`, `labctl down |& head -1`: the lab is taken away all the same.
func TestWorkOutlivesItsReader(t *testing.T) {
	for _, args := range [][]string{{"down", "x"}, {"down", "x", "-o", "json", "--events", "ndjson"}} {
		cmd := program(t, oneContainer, args...)
		cmd.Stdout, cmd.Stderr = closedPipe(t), closedPipe(t)
		if err := cmd.Run(); err != nil {
			t.Errorf("%q: %v", args, err)
		}
		if _, err := os.Stat(filepath.Join(cmd.Dir, "removed")); err != nil {
			t.Errorf("%q ended before it had removed anything", args)
		}
	}
}

// What the work came to counts, not that nobody read it.
func TestExitCodeWithoutAReader(t *testing.T) {
	cmd := program(t, "echo 'Cannot connect to the Docker daemon' >&2; exit 1", "down", "x")
	cmd.Stdout, cmd.Stderr = closedPipe(t), closedPipe(t)
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 5 {
		t.Errorf("%v, want exit status 5", err)
	}
}

// hostile has one of each kind of character that a terminal acts on.
const hostile = "a\x1b[2J\x1b]0;t\x07\rb\x7f\u009b31m\u202eright\u2028\xff"

func checkHarmless(t *testing.T, what, out string) {
	t.Helper()
	if !strings.Contains(out, "right") {
		t.Errorf("%s does not say it at all: %q", what, out)
	}
	for _, r := range out {
		if r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' {
			t.Errorf("%s passes %U on: %q", what, r, out)
			return
		}
	}
}

func TestOutputsShowNoControlCode(t *testing.T) {
	for _, output := range []string{"text", "json"} {
		text, _ := reported(t, output, clierr.New(clierr.Failed, "doing x: %w", errors.New(hostile)).WithNext("%s", hostile))
		checkHarmless(t, "an error as "+output, text)
		out, err := os.Create(filepath.Join(t.TempDir(), "out"))
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		a := newApp(Process{Out: out, Err: out})
		a.output = output
		if err := a.print(map[string]string{"key": hostile}, func(*view.Printer) { _, _ = io.WriteString(a.Out, hostile+"\n") }); err != nil {
			t.Error(err)
		}
		shown, err := os.ReadFile(out.Name())
		if err != nil {
			t.Fatal(err)
		}
		checkHarmless(t, "a result as "+output, string(shown))
	}
	// What an engine says: by an error, and by the names in a list.
	engine := `case "$1" in ps) printf '{"id":"1","name":"a\\u001b[2J\\u009b\\u202eright","image":"i","state":"running","labels":"labctl.lab=x\\u001b[2J,labctl.owner=me"}\n' ;; *) printf 'no: a\033[2J\302\23331m right\007\n' >&2; exit 1 ;; esac`
	for _, args := range [][]string{{"status", "-o", "json"}, {"down", "x"}, {"down", "x", "-o", "json"}, {"down", "x", "--events", "ndjson"}} {
		cmd := program(t, engine, args...)
		out, _ := cmd.CombinedOutput()
		checkHarmless(t, strings.Join(args, " "), string(out))
	}
}

// A program that labctl runs for the user gets the terminal itself: what goes through a writer of ours would
// be no terminal to it. And JSON takes its own way.
func TestOnlyTextGoesThroughTheTextWriters(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	wrong := regexp.MustCompile(`Std(out|err)\s*=.*\b(a|o)\.(Out|Err)\b|json\.NewEncoder\((a|o)\.|Fprint\w*\((a|o)\.(Process|stdout|stderr)\b|WriteString\((a|o)\.(Process|stdout|stderr)\b`)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if found := wrong.Find(text); found != nil {
			t.Errorf("%s: %s", file, found)
		}
	}
}

// A docker that takes every question and answers none.
func TestEngineThatHangs(t *testing.T) {
	t.Parallel()
	began := time.Now()
	out, err := program(t, "sleep 1000", "down", "x").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 5 || !strings.Contains(string(out), "no Docker engine answers within 10s") {
		t.Errorf("%v, said %s", err, out)
	}
	if took := time.Since(began); took > 25*time.Second {
		t.Errorf("it took %s", took)
	}
}
