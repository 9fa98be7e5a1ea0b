package command

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
)

// TestSignalsReachTheCommand: a signal that ends labctl ends the command that it has started in its place,
// and labctl with it, whatever the command makes of the signal.
func TestSignalsReachTheCommand(t *testing.T) {
	// Under nohup SIGHUP is ignored, and a command inherits that unless this process handles it.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(hangups) })
	for name, c := range map[string]struct {
		script   string
		sig      os.Signal
		terminal bool
		status   int
	}{
		"ended by SIGTERM":          {"echo; exec sleep 60", syscall.SIGTERM, true, 143},
		"ended by SIGHUP":           {"echo; exec sleep 60", syscall.SIGHUP, true, 129},
		"an exit code of its own":   {"trap 'exit 7' TERM; echo; while :; do sleep 0.05; done", syscall.SIGTERM, true, 7},
		"says that all is well":     {"trap 'exit 0' TERM; echo; while :; do sleep 0.05; done", syscall.SIGTERM, true, 143},
		"ignores it, as shells do":  {"trap '' TERM; echo; while :; do sleep 0.05; done", syscall.SIGTERM, true, 129},
		"Ctrl-C without a terminal": {"echo; exec sleep 60", os.Interrupt, false, 130},
		"Ctrl-C reached it already": {"echo; sleep 0.3; exit 5", os.Interrupt, true, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f Foreground
			if f.Take(c.sig, c.terminal) {
				t.Error("a signal was taken before there was a command")
			}
			cmd := exec.Command("sh", "-c", c.script)
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer read.Close()
			defer write.Close()
			cmd.Stdout = write
			go func() {
				_, _ = bufio.NewReader(read).ReadString('\n')
				if !f.Take(c.sig, c.terminal) {
					t.Error("the signal was not taken")
				}
			}()
			err = f.Run(cmd)
			var exit *exec.ExitError
			var ended EndedBy
			got := 0
			switch {
			case errors.As(err, &exit):
				got = Status(exit)
			case errors.As(err, &ended):
				got = 128 + int(ended)
			}
			if got != c.status {
				t.Errorf("exit code %d (%v), want %d", got, err, c.status)
			}
		})
	}
}
