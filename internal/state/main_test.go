package state

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// role names what this test binary does when a test starts it as another process.
const role = "STATE_TEST_ROLE"

var roles = map[string]func(*Lab, []string) error{
	"append":       appendRole,
	"hold":         holdRole,
	"hold-child":   holdWithChildRole,
	"wait":         waitRole,
	"die-renaming": dieRenamingRole,
}

func TestMain(m *testing.M) {
	if name := os.Getenv(role); name != "" {
		lab := Home{Dir: os.Args[1]}.Lab("demo")
		if err := roles[name](lab, os.Args[2:]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// appendRole journals os.Args acts, one after the other.
func appendRole(lab *Lab, args []string) error {
	count, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	j, err := lab.OpenJournal()
	if err != nil {
		return err
	}
	for i := range count {
		p, err := j.Begin(Act{Verb: "test", Object: fmt.Sprintf("%d/%d", os.Getpid(), i)})
		if err != nil {
			return err
		}
		if err := p.Done(nil); err != nil {
			return err
		}
	}
	return nil
}

// holdRole takes the lock, says so and keeps it until its stdin ends.
func holdRole(lab *Lab, _ []string) error {
	if _, err := lab.Lock(context.Background(), Holder{User: "ann", Host: "here", Command: "labctl up day10.hcl"}); err != nil {
		return err
	}
	fmt.Println("locked")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// holdWithChildRole takes the lock and hands it to a child, whose process id it prints.
func holdWithChildRole(lab *Lab, _ []string) error {
	lock, err := lab.Lock(context.Background(), Holder{User: "ann", Host: "here", Command: "labctl up day10.hcl"})
	if err != nil {
		return err
	}
	child := exec.Command(os.Args[0], lab.home.Dir)
	child.Env = append(os.Environ(), role+"=wait")
	child.Stdin = os.Stdin
	child.ExtraFiles = []*os.File{lock.File()}
	if err := child.Start(); err != nil {
		return err
	}
	fmt.Println(child.Process.Pid)
	return child.Wait()
}

func waitRole(*Lab, []string) error {
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// dieRenamingRole is killed between writing the temporary file and the rename.
func dieRenamingRole(lab *Lab, _ []string) error {
	lab.disk.rename = func(string, string) error {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return lab.Save(&State{Lab: "demo", Owner: "half-saved"})
}

// helper is this test binary, running in another role.
type helper struct {
	*exec.Cmd
	stdin io.Closer
	out   *bufio.Reader
}

// start runs a role on the lab in home. Whatever becomes of the test, the process ends with it.
func start(t *testing.T, home, name string, args ...string) *helper {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{home}, args...)...)
	cmd.Env = append(os.Environ(), role+"="+name)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); cmd.Process.Kill(); cmd.Wait() })
	return &helper{cmd, stdin, bufio.NewReader(stdout)}
}

func (h *helper) line(t *testing.T) string {
	t.Helper()
	line, err := h.out.ReadString('\n')
	if err != nil {
		t.Fatalf("reading what the helper says: %v (%q)", err, line)
	}
	return line[:len(line)-1]
}

// kill ends the helper as `kill -9` does and waits until it is gone.
func (h *helper) kill(t *testing.T) {
	t.Helper()
	if err := h.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	h.Process.Wait()
}

// noon is where the tests' clocks stand.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func testLab(t *testing.T) *Lab {
	t.Helper()
	return Home{Dir: t.TempDir(), Now: func() time.Time { return noon }}.Lab("demo")
}
