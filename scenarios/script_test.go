package scenarios

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/labfile"
)

// A script is run by whatever sh an image has, so a real one runs it here.
func TestWhatComesOfAScript(t *testing.T) {
	for _, test := range []struct {
		text    string
		passed  bool
		said    string
		because string // it cannot be told
	}{
		{text: "echo one; echo two; exit 0", passed: true, said: "two"},
		{text: "echo 'only 1 of 3' >&2; exit 1", said: "only 1 of 3"},
		{text: "false", said: ""},
		{text: "echo broken; exit 3", because: "it ended with exit code 3, which is neither yes (0) nor no (1): broken"},
		{text: "no-such-command", because: "could not be run (exit code 127)"},
		{text: "exec sleep 60", because: "it did not end within 1s"},
		{text: "kill -SEGV $$", because: "it crashed: SIGSEGV"},
		{text: "kill -TERM $$", because: "exit code 143"},
		{text: "yes | head -c 30000000; echo; echo end", passed: true, said: "end"},
		{text: `printf '\033[31mred\n'`, passed: true, said: `\x1b[31mred`},
		{text: `printf '\nn:0\n'; exit 1`, said: "n:0"},
		{text: "sleep 60 & echo left; exit 1"}, // its last line is lost where this shell is not process 1
		{text: "cat; exit 1"},                  // it has no input
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "script")
		if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		p := &probeRun{Probe: &labfile.Probe{Script: &labfile.Script{Shell: []string{"/bin/sh"}}, Within: time.Second}, nonce: newNonce()}
		argv := p.scriptIn(dir, file)
		printed, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).Output()
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
		}
		found, err := p.parseScript(string(printed))
		switch {
		case test.because != "":
			if err == nil || !strings.Contains(err.Error(), test.because) {
				t.Errorf("%s: %v, %v; want the error %q", test.text, found, err, test.because)
			}
		case err != nil || found["passed"] != test.passed || found["said"] != test.said:
			t.Errorf("%s: %v, %v; want %v and %q", test.text, found, err, test.passed, test.said)
		}
	}
}
