//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// raceJobs kill the program as people have it, without kill points, at random moments: between the
// records too, and while several acts are under way. The seed is fixed.
func raceJobs(score *score) []job {
	seed, times := uint64(20260610), 10
	if soak() {
		times = 100
	}
	random := rand.New(rand.NewPCG(seed, 0))
	var jobs []job
	for i := range times {
		first, second, third := moment(random, within), moment(random, within), moment(random, time.Second)
		jobs = append(jobs, job{score: score, name: fmt.Sprintf("race/%d after %s", i+1, first.Round(10*time.Millisecond)), run: func(v *victim) {
			v.killAfter(first, "up", v.file)
			switch {
			case i%5 == 1: // again and again
				v.killAfter(second, "up", v.file)
				v.killAfter(third, "down", v.name)
			case i%5 == 2:
				v.loseState()
			case i == 3, soak() && i%5 == 3:
				v.converges(false)
				v.killAfter(third, "down", v.name)
			}
			v.downs()
		}})
	}
	return jobs
}

// lockJob: while anything lives that a killed labctl has started, the lab is locked, and that is said.
// As soon as it has ended the lock is had.
func lockJob(score *score) job {
	return job{score: score, name: "lock", run: func(v *victim) {
		// A child that is stopped cannot end itself. In a process group without a parent the kernel would
		// wake and end it (setpgid(2), orphaned process groups): so this process adopts it.
		adopt(v, 1)
		defer adopt(v, 0)
		up := v.start(around.labctl(), "up", v.file)
		kind := v.awaitProcess("__kind-create")
		if err := syscall.Kill(-kind, syscall.SIGSTOP); err != nil {
			v.Fatal(err)
		}
		v.awaitStopped(kind)
		defer func() { _, _ = syscall.Wait4(kind, nil, 0, nil) }()
		defer syscall.Kill(-kind, syscall.SIGKILL)
		_ = syscall.Kill(up.cmd.Process.Pid, syscall.SIGKILL)
		<-up.done
		v.score.points.Add(1)
		end := v.start(around.labctl(), "up", v.file).wait(v.T, time.Minute)
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", kind))
		v.check(end.code == 3, "up while the dead one's kind lives: exit %d, want 3\n%s\nkind:\n%s", end.code, end.text, status)
		for _, part := range []string{"has ended", "fuser", strconv.Itoa(up.cmd.Process.Pid)} {
			v.check(strings.Contains(end.text, part), "the refusal does not say %q:\n%s", part, end.text)
		}
		if err := syscall.Kill(-kind, syscall.SIGCONT); err != nil {
			v.Fatal(err)
		}
		v.noProcesses()
		v.downs()
	}}
}

// adopt makes this process the parent of what its children leave behind, or no longer (prctl(2),
// PR_SET_CHILD_SUBREAPER).
func adopt(v *victim, on uintptr) {
	const setChildSubreaper = 36
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setChildSubreaper, on, 0); errno != 0 {
		v.Fatalf("prctl: %v", errno)
	}
}

// awaitProcess returns the id of labctl's process that has this argument.
func (v *victim) awaitProcess(argument string) int {
	v.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		for _, p := range processesOf(v.home) {
			pid, line, _ := strings.Cut(p, ": ")
			if strings.Contains(line, argument) && filepath.Base(strings.Fields(line)[0]) == "labctl" {
				n, _ := strconv.Atoi(pid)
				return n
			}
		}
	}
	v.Fatalf("no process with %q appears", argument)
	return 0
}

// awaitStopped returns when the process has stopped: a signal takes effect some time after it was sent.
func (v *victim) awaitStopped(pid int) {
	v.Helper()
	var status []byte
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		status, _ = os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if strings.Contains(string(status), "State:\tT") {
			return
		}
	}
	v.Fatalf("process %d does not stop:\n%s", pid, status)
}
