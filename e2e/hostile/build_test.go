//go:build e2e

package hostile

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// build makes labctl and the docker of the tests in dir. labctl is the product but for its patience: in a copy of
// its sources every duration of several seconds or minutes is shortened, so that the product needs no flag or
// variable that only tests use, and a new deadline is shortened without being listed. And it looks for SSH at another
// port than 22, which needs no privilege.
func build(dir string) error {
	overlay, err := impatient(dir)
	if err != nil {
		return err
	}
	for _, args := range [][]string{
		{"-overlay", overlay, "-ldflags", "-s -w -X main.version=hostile", "-o", filepath.Join(dir, "labctl"), "./cmd/labctl"},
		{"-ldflags", "-s -w", "-o", filepath.Join(dir, "docker"), "./e2e/hostile/docker"},
	} {
		cmd := exec.Command("go", append([]string{"build", "-trimpath"}, args...)...)
		cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", cmd, err, out)
		}
	}
	return nil
}

// root is the module's, from here.
const root = "../.."

// shorter is what becomes of one of labctl's times: up to 2 s it stays, 10 s become 2.5 s, 90 s become 7.5 s, and 15
// minutes 28 s. What is short already has to do on a busy machine.
func shorter(d time.Duration) time.Duration {
	const brief, long = 2 * time.Second, 90 * time.Second
	switch {
	case d <= brief:
		return d
	case d <= long:
		return brief + (d-brief)/16
	}
	return shorter(long) + (d-long)/40
}

var (
	durations = regexp.MustCompile(`\b(\d+)\s*\*\s*time\.(Second|Minute)\b`)
	minutes   = regexp.MustCompile(`(=|,|Wait:|Timeout:)(\s*)time\.Minute\b`)
)

// inGo writes a duration as Go has it.
func inGo(d time.Duration) string { return fmt.Sprintf("(%d * time.Millisecond)", d.Milliseconds()) }

// impatient writes the shortened copies and the overlay that puts them in the places of the sources. What a lab
// file may say (internal/labfile) stays as it is.
func impatient(dir string) (overlay string, err error) {
	replace := map[string]string{}
	base, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	for _, part := range []string{"internal", "provision", "scenarios"} {
		err := filepath.WalkDir(filepath.Join(base, part), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "labfile" || d.Name() == "testdata" || d.Name() == "kubetest"):
				return filepath.SkipDir
			case d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			src, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			short := durations.ReplaceAllStringFunc(string(src), func(text string) string {
				parts := durations.FindStringSubmatch(text)
				n, _ := strconv.Atoi(parts[1]) // digits
				return inGo(shorter(time.Duration(n) * map[string]time.Duration{"Second": time.Second, "Minute": time.Minute}[parts[2]]))
			})
			short = minutes.ReplaceAllString(short, "${1}${2}"+inGo(shorter(time.Minute)))
			short = strings.Replace(short, "Port: 22,", fmt.Sprintf("Port: %d,", sshPort), 1)
			if short == string(src) {
				return nil
			}
			to := filepath.Join(dir, fmt.Sprintf("short%d.go", len(replace)))
			replace[path] = to
			return os.WriteFile(to, []byte(short), 0o600)
		})
		if err != nil {
			return "", err
		}
	}
	if len(replace) < 10 {
		return "", fmt.Errorf("only %d sources with a duration were found", len(replace))
	}
	raw, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, raw, 0o600)
}
