//go:build e2e

package life_test

import (
	"bytes"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a labctl that runs beside the test.
type process struct {
	s    *site
	cmd  *exec.Cmd
	err  said
	out  said
	done chan struct{}
}

// said is what a process has printed so far.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// begin starts labctl in a process group of its own, as a shell does.
func (s *site) begin(args ...string) *process {
	s.Helper()
	p := &process{s: s, cmd: s.command(s.Context(), args...), done: make(chan struct{})}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	if err := p.cmd.Start(); err != nil {
		s.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	s.Cleanup(func() {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	})
	return p
}

// until waits until the process has said something on stderr.
func (p *process) until(text string) {
	p.s.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !strings.Contains(p.err.String(), text); time.Sleep(20 * time.Millisecond) {
		select {
		case <-p.done:
			p.s.Fatalf("it has ended and not said %q:\n%s", text, p.err.String())
		default:
		}
		if time.Now().After(deadline) {
			p.s.Fatalf("it has not said %q after two minutes:\n%s", text, p.err.String())
		}
	}
}

// signal sends a signal to the process alone.
func (p *process) signal(signal syscall.Signal) { _ = p.cmd.Process.Signal(signal) }

// ended waits for the process and returns its exit code.
func (p *process) ended() int {
	p.s.Helper()
	select {
	case <-p.done:
	case <-time.After(3 * time.Minute):
		p.s.Fatalf("it has not ended after three minutes:\n%s", p.err.String())
	}
	p.s.said.WriteString(p.out.String() + p.err.String())
	return p.cmd.ProcessState.ExitCode()
}
