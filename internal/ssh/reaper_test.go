//go:build e2e

package ssh

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/command"
)

func TestCancelKillsTheProcessGroup(t *testing.T) {
	s := startServer(t)
	for name, script := range map[string]string{
		"a plain command":             `echo $$; exec sleep 1000`,
		"with children":               `sleep 1001 & a=$!; sleep 1002 & echo $$ $a $!; wait`,
		"deaf to SIGTERM":             `trap "" TERM; sleep 1003 & echo $$ $!; while :; do wait; done`,
		"children deaf, leader not":   `sh -c "trap \"\" TERM; echo \$\$; exec sleep 1004" & wait`,
		"children with other outputs": `(trap "" TERM; exec sleep 1005 >/dev/null 2>&1 </dev/null) & echo $$ $!; wait`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, how := range []string{"cancel", "lost", "close"} {
				t.Run(how, func(t *testing.T) {
					t.Parallel()
					p := startProxy(t, s.address, 0)
					c := s.dial(t, p.use)
					ctx, cancel := context.WithCancelCause(t.Context())
					defer cancel(nil)
					started := make(chan string, 1)
					done := make(chan error, 1)
					go func() {
						done <- c.Run(ctx, command.Command{Argv: []string{"sh", "-c", script}, Stdout: firstLine(started)})
					}()
					pids := strings.Fields(<-started)
					if len(pids) == 0 {
						t.Fatal("the script names no process")
					}
					for _, pid := range pids {
						if !runs(pid) {
							t.Fatalf("process %s is not there to begin with", pid)
						}
					}
					why := errors.New("enough")
					switch how {
					case "cancel":
						cancel(why)
					case "lost":
						p.cut()
					case "close":
						c.Close()
					}
					var err error
					took := within(t, 20*time.Second, "ending", func() { err = <-done })
					switch {
					case how == "cancel" && (!errors.Is(err, why) || errors.Is(err, ErrUnknownOutcome)):
						t.Errorf("got %v", err)
					case how != "cancel" && !errors.Is(err, ErrUnknownOutcome):
						t.Errorf("got %v", err)
					}
					for _, pid := range pids {
						eventually(t, 20*time.Second, "the end of process "+pid, func() bool { return !runs(pid) })
					}
					t.Logf("%d processes gone, Run returned after %s: %v", len(pids), took.Round(time.Millisecond), err)
				})
			}
		})
	}
}

// firstLine returns a writer that sends the first line that is written to it.
func firstLine(to chan<- string) io.Writer { return &lineWriter{to: to} }

type lineWriter struct {
	buf bytes.Buffer
	to  chan<- string
}

func (w *lineWriter) Write(b []byte) (int, error) {
	if w.to != nil {
		w.buf.Write(b)
		if line, _, ok := strings.Cut(w.buf.String(), "\n"); ok {
			w.to <- line
			w.to = nil
		}
	}
	return len(b), nil
}

// runs says whether a process is there and is not a zombie: those are whoever's who has to wait for them.
func runs(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// A command that dies of the connection's own doing must not be taken for one that exited: the watch over
// commands is started anew when it is killed, and knows of those that run.
func TestReaperIsReplaced(t *testing.T) {
	c := startServer(t).dial(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	started, done := make(chan string, 1), make(chan error, 1)
	go func() {
		done <- c.Run(ctx, command.Command{Argv: []string{"sh", "-c", "trap '' TERM; echo $$; while :; do sleep 1; done"}, Stdout: firstLine(started)})
	}()
	pid := <-started
	c.reaper.mu.Lock()
	old := c.reaper.shell
	c.reaper.mu.Unlock()
	run(t, c, "kill", "-9", strconv.Itoa(old.group))
	eventually(t, 10*time.Second, "the loss of the reaper", func() bool {
		c.reaper.mu.Lock()
		defer c.reaper.mu.Unlock()
		return c.reaper.shell != old
	})
	run(t, c, "true")
	c.Close()
	if err := <-done; !errors.Is(err, ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
	eventually(t, 20*time.Second, "the end of process "+pid, func() bool { return !runs(pid) })
}
