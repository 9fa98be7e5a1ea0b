package state

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestKillPoints(t *testing.T) {
	plain, killing := build(t), build(t, "-tags", "killpoints")
	everything := "act one, after one, act two, after two"
	for _, c := range []struct {
		probe, at, says string
		killed          bool
		records         int
	}{
		{killing, "1", "", true, 1}, // before the first act
		{killing, "2", "act one", true, 2},
		{killing, "3", "act one, after one", true, 3},
		{killing, "4", "act one, after one, act two", true, 4},
		{killing, "5", everything, false, 4}, // never reached
		{killing, "", everything, false, 4},
		{plain, "1", everything, false, 4}, // a normal build has no such code
	} {
		home := t.TempDir()
		bystander := exec.Command("sleep", "60")
		if err := bystander.Start(); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(c.probe, home)
		cmd.Env = append(os.Environ(), "LABCTL_KILL_AT="+c.at, fmt.Sprintf("LABCTL_KILL_PID=%d", bystander.Process.Pid))
		out, err := cmd.Output()
		says := strings.ReplaceAll(strings.TrimSpace(string(out)), "\n", ", ")
		if says != c.says || killed(err) != c.killed {
			t.Errorf("at %q: said %q and ended with %v; want %q, killed: %t", c.at, says, err, c.says, c.killed)
		}
		if !c.killed {
			bystander.Process.Kill()
		}
		// Waits for it: it is dead, or will be for having been told so.
		if err := bystander.Wait(); !killed(err) {
			t.Errorf("at %q: the other process ended with %v", c.at, err)
		}
		records, err := journal(t, Home{Dir: home}.Lab("demo")).Records()
		if err != nil || len(records) != c.records {
			t.Errorf("at %q: %d records, %v; want %d", c.at, len(records), err, c.records)
		}
	}
	cmd := exec.Command(killing, t.TempDir())
	cmd.Env = append(os.Environ(), "LABCTL_KILL_AT=soon")
	if out, err := cmd.Output(); err == nil || !strings.Contains(string(out), `LABCTL_KILL_AT="soon"`) {
		t.Errorf("a wrong instruction: %s, %v; want it refused", out, err)
	}
}

func build(t *testing.T, flags ...string) string {
	t.Helper()
	probe := filepath.Join(t.TempDir(), "probe")
	out, err := exec.Command("go", append(append([]string{"build", "-o", probe}, flags...), "./testdata/probe")...).CombinedOutput()
	if err != nil {
		t.Fatalf("building the probe: %v\n%s", err, out)
	}
	return probe
}

func killed(err error) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	return ok && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
}
