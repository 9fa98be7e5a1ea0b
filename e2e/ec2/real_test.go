// Package ec2_test holds real.sh, which nobody runs here, to what it promises: with a labctl that does nothing.
package ec2_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// stub is a labctl that writes down how it was called. FAIL names the command that fails, with FAIL_CODE;
// what `up` makes is there until `down` has worked.
const stub = `#!/bin/bash
echo "$*" >>"$STUB/calls"
if [[ $1 == "$FAIL" && $* == *"$FAIL_WITH"* ]]; then
  [[ $1 != up ]] || touch "$STUB/there"
  [[ -z ${KILL:-} ]] || kill -TERM $PPID
  exit "$FAIL_CODE"
fi
case $1 in
up) touch "$STUB/there" ;;
down) rm -f "$STUB/there" ;;
gc) if [[ -e $STUB/there ]]; then echo "a host of account 123456789012"; exit 6; fi ;;
ssh) [[ $* != *'exit 7'* ]] || exit 7 ;;
version) echo labctl test ;;
esac
`

func TestRealScript(t *testing.T) {
	// go test keeps a result as long as what it has seen opened is the same.
	if _, err := os.ReadFile("real.sh"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		env    []string
		args   []string
		code   int
		last   string // of the calls that change something
		report []string
	}{
		"all goes well":       {args: []string{"--yes"}, last: "down real-", report: []string{"all steps went well", "left in the account: nothing", "| up |", "| down |"}},
		"nobody to ask":       {code: 3},
		"wrong argument":      {args: []string{"--fast"}, code: 2},
		"no credentials":      {args: []string{"--yes"}, env: []string{"FAIL=gc", "FAIL_CODE=3"}, code: 3},
		"up fails":            {args: []string{"--yes"}, env: []string{"FAIL=up", "FAIL_CODE=1"}, code: 1, last: "down real-", report: []string{"failed: up", "left in the account: nothing"}},
		"a step fails":        {args: []string{"--yes"}, env: []string{"FAIL=stop", "FAIL_CODE=1"}, code: 1, last: "down real-", report: []string{"failed: stop", "| extend |"}},
		"killed meanwhile":    {args: []string{"--yes"}, env: []string{"FAIL=up", "FAIL_CODE=130", "KILL=1"}, code: 130, last: "down real-", report: []string{"interrupted"}},
		"down fails":          {args: []string{"--yes"}, env: []string{"FAIL=down", "FAIL_CODE=1"}, code: 6, last: "down real-", report: []string{"left in the account: lab real-", "a host of account 000000000000"}},
		"down fails at first": {args: []string{"--yes"}, env: []string{"FAIL=down", "FAIL_WITH=never", "FAIL_CODE=1"}, last: "down real-", report: []string{"all steps"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			program, report, tmp := filepath.Join(dir, "labctl"), filepath.Join(dir, "report.md"), filepath.Join(dir, "tmp")
			if err := os.WriteFile(program, []byte(stub), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(tmp, 0o700); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("bash", append([]string{"./real.sh", "--region", "eu-central-1", "--report", report}, c.args...)...)
			cmd.Env = append([]string{"PATH=/usr/bin:/bin", "HOME=" + dir, "LABCTL=" + program, "STUB=" + dir, "TMPDIR=" + tmp, "FAIL=", "FAIL_WITH=", "FAIL_CODE=0"}, c.env...)
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != c.code {
				t.Fatalf("exit code %d; want %d:\n%s", code, c.code, out)
			}
			calls, _ := os.ReadFile(filepath.Join(dir, "calls"))
			var changing []string
			for line := range strings.Lines(string(calls)) {
				if word, _, _ := strings.Cut(line, " "); slices.Contains([]string{"up", "down", "stop", "start", "extend"}, word) {
					changing = append(changing, line)
				}
			}
			if c.last == "" {
				if len(changing) > 0 {
					t.Errorf("it was refused after %q", changing)
				}
				return
			}
			if len(changing) == 0 || !strings.HasPrefix(changing[len(changing)-1], c.last) {
				t.Errorf("it ends with %q; want %s", changing, c.last)
			}
			text, err := os.ReadFile(report)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, w := range c.report {
				if !strings.Contains(string(text), w) {
					t.Errorf("the report does not say %q:\n%s", w, text)
				}
			}
			if left, _ := os.ReadDir(tmp); len(left) > 0 && c.code != 6 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
