package shell

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// ProbeTime is how long a shell has to come to its first prompt.
const ProbeTime = 10 * time.Second

// Probe starts a shell as it will be started, on a terminal of its own that nobody sees, and returns nil when
// it has come to its first prompt and found itself held. It then ends. So neither a start file that becomes
// another program nor one that never ends gets hold of the user's terminal.
func (h Hold) Probe(ctx context.Context, s Start) error {
	ctx, cancel := context.WithTimeoutCause(ctx, ProbeTime, errors.New("its start files do not come to an end"))
	defer cancel()
	defer os.Remove(h.verdict())
	master, terminal, err := OpenTerminal()
	if err != nil {
		return err
	}
	defer master.Close()
	cmd := exec.Command(s.Argv[0], s.Argv[1:]...)
	cmd.Env, cmd.Dir = append(append([]string{}, s.Env...), probeEnv+"=1"), h.Dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err = cmd.Start()
	terminal.Close()
	if err != nil {
		return err
	}
	go func() { // a terminal that nobody reads stops who writes to it
		buf := make([]byte, 4096)
		for {
			if _, err := master.Read(buf); err != nil {
				return
			}
		}
	}()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ended:
	case <-ctx.Done():
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		master.Close() // hangs up what it has put into groups of their own
		<-ended
		return context.Cause(ctx)
	}
	said, _ := os.ReadFile(h.verdict())
	switch strings.TrimSpace(string(said)) {
	case heldWord:
		return nil
	case elsewhereWord:
		return errors.New("its start files lead kubectl, docker or KUBECONFIG elsewhere")
	}
	return errors.New("its start files end it, or make another program of it, before the prompt")
}
