package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestKeepKubeconfig: a new cluster's kubeconfig replaces the old one's, and what a learner changed in the
// present one stays. Nobody else can read it.
func TestKeepKubeconfig(t *testing.T) {
	home := t.TempDir()
	config := filepath.Join(home, ".kube", "config")
	give := func(text string) string {
		t.Helper()
		cmd := exec.Command("sh", "-c", keepKubeconfig)
		cmd.Env, cmd.Stdin = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}, strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%v: %s", err, out)
		}
		raw, err := os.ReadFile(config)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	const first, second = "    certificate-authority-data: AAAA\nkey: one\n", "    certificate-authority-data: BBBB\nkey: two\n"
	if got := give(first); got != first {
		t.Errorf("at first: %q", got)
	}
	changed := first + "namespace: mine\n"
	if err := os.WriteFile(config, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := give(first); got != changed {
		t.Errorf("the same cluster again: %q; want it as the learner left it", got)
	}
	if got := give(second); got != second {
		t.Errorf("another cluster: %q", got)
	}
	files, err := os.ReadDir(filepath.Dir(config))
	if err != nil || len(files) != 1 {
		t.Errorf("%v, %v; want the config alone", files, err)
	}
	if info, err := os.Stat(config); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want it for its owner alone", info.Mode(), err)
	}
}
