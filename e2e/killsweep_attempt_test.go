//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// attempt is a labctl under way.
type attempt struct {
	cmd  *exec.Cmd
	out  bytes.Buffer
	done chan struct{}
}

// ending is how it ended.
type ending struct {
	code   int
	killed bool
	text   string
	took   time.Duration
}

// start starts a labctl in a process group of its own. more is more of the environment.
func (v *victim) start(binary string, args ...string) *attempt {
	return v.startWith(nil, binary, args...)
}

func (v *victim) startWith(more []string, binary string, args ...string) *attempt {
	v.Helper()
	r := &attempt{cmd: exec.Command(binary, args...), done: make(chan struct{})}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "LABCTL_") && !strings.HasPrefix(kv, "HOME=") && !strings.HasPrefix(kv, "KUBECONFIG=") {
			r.cmd.Env = append(r.cmd.Env, kv)
		}
	}
	r.cmd.Env = append(r.cmd.Env, "LABCTL_HOME="+v.home, "LABCTL_OWNER="+v.owner(), "HOME="+v.user, "DOCKER_HOST="+around.host)
	r.cmd.Env = append(r.cmd.Env, more...)
	r.cmd.Dir = v.user
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// A file, not a pipe: nothing that survives a kill can hold it up.
	out, err := os.CreateTemp(v.TempDir(), "out")
	if err != nil {
		v.Fatal(err)
	}
	r.cmd.Stdout, r.cmd.Stderr = out, out
	if err := r.cmd.Start(); err != nil {
		v.Fatal(err)
	}
	go func() {
		_ = r.cmd.Wait()
		_, _ = out.Seek(0, 0)
		_, _ = r.out.ReadFrom(out)
		_ = out.Close()
		close(r.done)
	}()
	return r
}

// wait waits for the end, at most so long.
func (r *attempt) wait(t *testing.T, limit time.Duration) ending {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	select {
	case <-r.done:
	case <-ctx.Done():
		_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL)
		<-r.done
		t.Fatalf("%s: has not ended within %s:\n%s", strings.Join(r.cmd.Args, " "), limit, &r.out)
	}
	status := r.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ending{code: r.cmd.ProcessState.ExitCode(), killed: status.Signaled() && status.Signal() == syscall.SIGKILL, text: r.out.String(), took: time.Since(began)}
}

// killAt runs a command that is killed at the n-th record of the journal from here on, and says
// whether it was: a command that makes fewer records ends by itself. The shell makes the process that
// the docker shim kills along with itself the one that is labctl then.
func (v *victim) killAt(n int, args ...string) (killed bool) {
	v.Helper()
	env := []string{"LABCTL_KILL_AT=" + strconv.Itoa(n)}
	return v.dies(env, "/bin/sh", append([]string{"-c", `export LABCTL_KILL_PID=$$; exec "$0" "$@"`, v.c.killing}, args...)...)
}

// killAtRequest is killAt for the n-th change through the API.
func (v *victim) killAtRequest(n int, args ...string) (killed bool) {
	v.Helper()
	return v.dies([]string{"LABCTL_KILL_REQUEST=" + strconv.Itoa(n)}, v.c.killing, args...)
}

func (v *victim) dies(env []string, binary string, args ...string) bool {
	v.Helper()
	end := v.startWith(env, binary, args...).wait(v.T, 5*time.Minute)
	if !v.check(end.killed || end.code == 0, "%s, to be killed (%v): exit %d\n%s", strings.Join(args, " "), env, end.code, end.text) {
		v.FailNow()
	}
	if end.killed {
		v.score.points.Add(1)
		v.noProcesses()
	}
	return end.killed
}

// killAfter kills a command of the program as people have it after some time, or lets it end.
func (v *victim) killAfter(d time.Duration, args ...string) {
	v.Helper()
	r := v.start(around.labctl(), args...)
	select {
	case <-r.done:
	case <-time.After(d):
		_ = syscall.Kill(r.cmd.Process.Pid, syscall.SIGKILL)
	}
	end := r.wait(v.T, time.Minute)
	v.check(end.killed || end.code == 0, "%s, to be killed after %s: exit %d\n%s", strings.Join(args, " "), d, end.code, end.text)
	v.score.points.Add(1)
	v.noProcesses()
}

// must runs a command that has to succeed.
func (v *victim) must(args ...string) string {
	v.Helper()
	end := v.start(around.labctl(), args...).wait(v.T, 6*time.Minute)
	if !v.check(end.code == 0, "labctl %s: exit %d\n%s", strings.Join(args, " "), end.code, end.text) {
		v.FailNow()
	}
	return end.text
}
