//go:build e2e

package hostile

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// mostMemory is what one labctl may hold, and those that it waits for.
const mostMemory = 200 << 20

// run is how one labctl ended.
type run struct {
	args           []string
	code           int
	stdout, stderr string
	took           time.Duration
	memory         int64
	late           bool // it was killed when its time was over
	flooded        bool // it printed more than anybody reads
}

func (r *run) String() string {
	return fmt.Sprintf("labctl %s: exit code %d after %s, %d MB\n--- stdout\n%s\n--- stderr\n%s", strings.Join(r.args, " "), r.code,
		r.took.Round(time.Millisecond), r.memory>>20, visible(r.stdout), visible(r.stderr))
}

// visible shows what cannot be printed, and not more than a screen of it.
func visible(text string) string {
	const most = 4000
	if len(text) > most {
		text = text[:most/2] + "\n[…]\n" + text[len(text)-most/2:]
	}
	return strings.ReplaceAll(strings.Trim(fmt.Sprintf("%q", text), `"`), `\n`, "\n")
}

// bounded keeps the first few megabytes.
type bounded struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	lost int
}

func (b *bounded) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if room := 4<<20 - b.buf.Len(); len(p) > room {
		b.lost += len(p) - room
		b.buf.Write(p[:room])
		return len(p), nil
	}
	return b.buf.Write(p)
}

// labctl runs the built program in a sandbox, for at most so long.
func (s *sandbox) labctl(t testing.TB, limit time.Duration, args ...string) *run {
	t.Helper()
	r := &run{args: args}
	var stdout, stderr bounded
	cmd := exec.Command(s.path("bin", "labctl"), args...)
	cmd.Args[0] = "labctl"
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = s.env, s.path("lab"), &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	group := cmd.Process.Pid
	ended := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		look := time.NewTicker(25 * time.Millisecond)
		defer look.Stop()
		over := time.NewTimer(limit)
		defer over.Stop()
		for {
			select {
			case <-ended:
				return
			case <-over.C:
				r.late = true
				_ = syscall.Kill(group, syscall.SIGQUIT) // it says where it hangs
				select {
				case <-ended:
				case <-time.After(2 * time.Second):
					_ = syscall.Kill(-group, syscall.SIGKILL)
				}
				return
			case <-look.C:
				// Before the machine has none left.
				if m := resident(group); m > 2*mostMemory {
					r.memory = m
					_ = syscall.Kill(-group, syscall.SIGKILL)
				}
			}
		}
	}()
	_ = cmd.Wait() // what counts is in the state
	close(ended)
	<-watched
	_ = syscall.Kill(-group, syscall.SIGKILL) // what it has left behind
	r.took = time.Since(began)
	r.code = cmd.ProcessState.ExitCode()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.memory = max(r.memory, usage.Maxrss<<10)
	}
	r.stdout, r.stderr, r.flooded = stdout.buf.String(), stderr.buf.String(), stdout.lost+stderr.lost > 0
	return r
}

// resident is what a process holds now.
func resident(pid int) int64 {
	raw, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "statm"))
	if err != nil {
		return 0
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(raw), &size, &pages); err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
