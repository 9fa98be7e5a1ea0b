//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// background is the key under which a script keeps what it has begun.
type background struct{}

// process is a command that runs beside a script.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	done           chan struct{}
}

// begin NAME COMMAND...: starts a command in a process group of its own, as a shell does.
func begin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: begin NAME COMMAND ARGS...")
	}
	path, err := lookPath(ts.Getenv("PATH"), args[1])
	ts.Check(err)
	p := &process{cmd: exec.Command(path, args[2:]...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = ts.MkAbs("."), environ(ts)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	ts.Check(p.cmd.Start())
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	ts.Value(background{}).(map[string]*process)[args[0]] = p
	ts.Defer(func() {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	})
}

func lookPath(path, command string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		if found, err := exec.LookPath(filepath.Join(dir, command)); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("no %s in %s", command, path)
}

// environ is the script's environment.
func environ(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "DOCKER", "DOCKER_HOST", "LABCTL_OWNER", "LABCTL_HOME", "LABCTL_DEBUG_REQUESTS"} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

func beginning(ts *testscript.TestScript, name string) *process {
	p, ok := ts.Value(background{}).(map[string]*process)[name]
	if !ok {
		ts.Fatalf("nothing named %q was begun", name)
	}
	return p
}

// signal NAME INT|TERM [group]: sends a signal to the process, or to its group as a terminal's Ctrl-C.
func signalCommand(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}
	if neg || len(args) < 2 || signals[args[1]] == 0 {
		ts.Fatalf("usage: signal NAME INT|TERM|KILL [group]")
	}
	p := beginning(ts, args[0])
	select {
	case <-p.done:
		ts.Fatalf("%s has ended already:\n%s%s", args[0], &p.stdout, &p.stderr)
	default:
	}
	pid := p.cmd.Process.Pid
	if len(args) == 3 {
		pid = -pid
	}
	ts.Check(syscall.Kill(pid, signals[args[1]]))
}

// ended NAME CODE [SECONDS]: waits for the process; what it has printed is then stdout and stderr.
func ended(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: ended NAME CODE [SECONDS]")
	}
	p, seconds := beginning(ts, args[0]), 20
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	if len(args) == 3 {
		seconds, err = strconv.Atoi(args[2])
		ts.Check(err)
	}
	select {
	case <-p.done:
	case <-time.After(time.Duration(seconds) * time.Second):
		ts.Fatalf("%s has not ended after %d s", args[0], seconds)
	}
	_, _ = ts.Stdout().Write(p.stdout.Bytes())
	_, _ = ts.Stderr().Write(p.stderr.Bytes())
	if got := p.cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// ! processes: no process of the script's labctl is left, whoever its parent is now. They are known
// by LABCTL_HOME in their environment, which each child inherits.
func noProcesses(ts *testscript.TestScript, neg bool, args []string) {
	if !neg {
		ts.Fatalf("usage: ! processes")
	}
	mark := "LABCTL_HOME=" + ts.Getenv("LABCTL_HOME") + "\x00"
	var left []string
	// One that was killed takes a moment to be gone.
	for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		left = nil
		dirs, err := filepath.Glob("/proc/[0-9]*")
		ts.Check(err)
		for _, dir := range dirs {
			env, err := os.ReadFile(filepath.Join(dir, "environ"))
			if err != nil || !strings.Contains(string(env), mark) {
				continue
			}
			line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
			left = append(left, filepath.Base(dir)+" "+strings.ReplaceAll(string(line), "\x00", " "))
		}
		if len(left) == 0 {
			return
		}
	}
	ts.Fatalf("still running: %s", strings.Join(left, "; "))
}
