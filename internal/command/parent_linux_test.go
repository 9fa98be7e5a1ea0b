package command

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// TestCommandDiesWithItsLabctl runs this test again as a labctl that runs a long command, and kills it.
func TestCommandDiesWithItsLabctl(t *testing.T) {
	if os.Getenv("LABCTL_TEST_PARENT") != "" {
		_ = Local{}.Run(t.Context(), Command{Argv: []string{"sh", "-c", "echo $$; exec sleep 60"}, Stdout: os.Stderr})
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestCommandDiesWithItsLabctl$")
	cmd.Env = append(os.Environ(), "LABCTL_TEST_PARENT=1")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stderr).ReadString('\n')
	var child int
	if _, serr := fmt.Sscan(line, &child); err != nil || serr != nil {
		t.Fatalf("%q: %v, %v", line, err, serr)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if gone(child) {
			return
		}
		if time.Now().After(deadline) {
			_ = syscall.Kill(child, syscall.SIGKILL)
			t.Fatal("the command lives two seconds after its parent's death")
		}
	}
}

// gone tells whether a process has ended, reaped or not.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	var id int
	var name, state string
	_, _ = fmt.Sscan(string(stat), &id, &name, &state)
	return state == "Z" || state == "X"
}
