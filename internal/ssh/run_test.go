package ssh

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/docker"
)

var _ docker.Runner = (*Conn)(nil)

// run runs a command that is expected to succeed.
func run(t *testing.T, c *Conn, argv ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := c.Run(background(t, time.Minute), docker.Command{Argv: argv, Stdout: &out}); err != nil {
		t.Fatalf("%q: %v", argv, err)
	}
	return out.String()
}

func TestExitCodes(t *testing.T) {
	c := startServer(t).dial(t)
	var wg sync.WaitGroup
	for code := range 256 {
		wg.Go(func() {
			err := c.Run(background(t, time.Minute), docker.Command{Argv: []string{"sh", "-c", "echo oops >&2; exit " + strconv.Itoa(code)}})
			var exit *docker.ExitError
			switch {
			case code == 0 && err == nil:
			case !errors.As(err, &exit) || exit.Code != code || exit.Stderr != "oops":
				t.Errorf("exit %d gives %v", code, err)
			}
		})
	}
	wg.Wait()
}

func TestSignals(t *testing.T) {
	c := startServer(t).dial(t)
	for _, signal := range []string{"KILL", "TERM", "INT", "HUP", "SEGV", "ABRT", "PIPE", "USR1"} {
		err := c.Run(background(t, time.Minute), docker.Command{Argv: []string{"sh", "-c", "ulimit -c 0; echo last words >&2; kill -s " + signal + " $$"}})
		var ended *SignalError
		var exit *docker.ExitError
		if !errors.As(err, &ended) || ended.Signal != signal || ended.Stderr != "last words" {
			t.Errorf("SIG%s gives %v", signal, err)
		}
		if !errors.As(err, &exit) || exit.Code != -1 || errors.Is(err, ErrUnknownOutcome) {
			t.Errorf("SIG%s does not read as a local one: %v", signal, err)
		}
	}
}

func TestMissingCommand(t *testing.T) {
	c := startServer(t).dial(t)
	for _, argv0 := range []string{"no-such-command-here", "/no/such/path", "a=b"} {
		err := c.Run(background(t, time.Minute), docker.Command{Argv: []string{argv0}})
		var exit *docker.ExitError
		if !errors.As(err, &exit) || exit.Code != 127 || !strings.Contains(err.Error(), "executable file not found") {
			t.Errorf("%s: %v", argv0, err)
		}
	}
	for _, argv := range [][]string{nil, {""}, {"-x"}, {"echo", "a\x00b"}} {
		var exit *docker.ExitError
		if err := c.Run(t.Context(), docker.Command{Argv: argv}); err == nil || errors.As(err, &exit) {
			t.Errorf("%q ran: %v", argv, err)
		}
	}
}

func TestStreams(t *testing.T) {
	c := startServer(t).dial(t)
	t.Run("nothing is given: no input, no output", func(t *testing.T) {
		if got := run(t, c, "sh", "-c", "wc -c; readlink /proc/self/fd/0"); got != "0\n/dev/null\n" {
			t.Errorf("got %q", got)
		}
		if err := c.Run(background(t, time.Minute), docker.Command{Argv: []string{"sh", "-c", "yes | head -c 5000000; exit 0"}}); err != nil {
			t.Error(err)
		}
	})
	t.Run("64 MiB through stdin and back", func(t *testing.T) {
		const size = 64 << 20
		source, sent, back := rand.NewChaCha8([32]byte{7}), sha256.New(), sha256.New()
		err := c.Run(background(t, 2*time.Minute), docker.Command{Argv: []string{"cat"}, Stdin: io.TeeReader(io.LimitReader(source, size), sent), Stdout: back})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(sent.Sum(nil), back.Sum(nil)) {
			t.Error("what came back is not what was sent")
		}
	})
	t.Run("stdout and stderr are two", func(t *testing.T) {
		var out, errs bytes.Buffer
		err := c.Run(background(t, time.Minute), docker.Command{Argv: []string{"sh", "-c", "echo out; echo err >&2"}, Stdout: &out, Stderr: &errs})
		if err != nil || out.String() != "out\n" || errs.String() != "err\n" {
			t.Errorf("stdout %q, stderr %q, %v", &out, &errs, err)
		}
	})
	t.Run("or one", func(t *testing.T) {
		var both bytes.Buffer
		err := c.Run(background(t, time.Minute), docker.Command{Argv: []string{"sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do echo out; echo err >&2; done"}, Stdout: &both, Stderr: &both})
		if err != nil || strings.Count(both.String(), "out\n") != 9 || strings.Count(both.String(), "err\n") != 9 {
			t.Errorf("%q, %v", &both, err)
		}
	})
	t.Run("output arrives while the command runs", func(t *testing.T) {
		input, feed := io.Pipe()
		seen, out := io.Pipe()
		done := make(chan error, 1)
		go func() {
			done <- c.Run(background(t, time.Minute), docker.Command{Argv: []string{"cat"}, Stdin: input, Stdout: out})
		}()
		for i := range 5 {
			line := fmt.Sprintf("line %d\n", i)
			io.WriteString(feed, line)
			got := make([]byte, len(line))
			if _, err := io.ReadFull(seen, got); err != nil || string(got) != line {
				t.Fatalf("%q, %v", got, err)
			}
		}
		feed.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Run("a command that does not read its input", func(t *testing.T) {
		err := c.Run(background(t, time.Minute), docker.Command{Argv: []string{"true"}, Stdin: io.LimitReader(rand.NewChaCha8([32]byte{}), 16<<20)})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("an input that blocks when the command is done", func(t *testing.T) {
		input, feed := io.Pipe()
		defer feed.Close()
		within(t, 10*time.Second, "true", func() {
			if err := c.Run(t.Context(), docker.Command{Argv: []string{"true"}, Stdin: input}); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("an input that fails", func(t *testing.T) {
		broken := errors.New("disk on fire")
		err := c.Run(background(t, time.Minute), docker.Command{Argv: []string{"cat"}, Stdin: io.MultiReader(strings.NewReader("half"), failing{broken})})
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("an output that fails", func(t *testing.T) {
		broken := errors.New("disk full")
		err := c.Run(background(t, time.Minute), docker.Command{Argv: []string{"sh", "-c", "echo x; exec sleep 1000"}, Stdout: failing{broken}})
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a process that is left behind and holds the output", func(t *testing.T) {
		var out bytes.Buffer
		begin := time.Now()
		err := c.Run(background(t, time.Minute), docker.Command{Argv: []string{"sh", "-c", "sleep 20 & echo $!"}, Stdout: &out})
		if took := time.Since(begin); err != nil || took > 15*time.Second {
			t.Errorf("%v after %s", err, took)
		}
		run(t, c, "kill", strings.TrimSpace(out.String()))
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

// The limit of 10 sessions is sshd's own default.
func TestParallel(t *testing.T) {
	s := startServer(t)
	c := s.dial(t)
	var mu sync.Mutex
	var times []time.Duration
	var wg sync.WaitGroup
	begin := time.Now()
	for i := range 30 {
		wg.Go(func() {
			for j := range 4 {
				start := time.Now()
				want := fmt.Sprintf("%d/%d\n", i, j)
				var out bytes.Buffer
				err := c.Run(background(t, time.Minute), docker.Command{Argv: []string{"sh", "-c", "cat; sleep 0.05"}, Stdin: strings.NewReader(want), Stdout: &out})
				if err != nil || out.String() != want {
					t.Errorf("%q, %v", &out, err)
				}
				mu.Lock()
				times = append(times, time.Since(start))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	t.Logf("120 commands by 30 goroutines in %s, slowest %s", time.Since(begin).Round(time.Millisecond), slices.Max(times).Round(time.Millisecond))
	if n := strings.Count(s.log.String(), "Accepted publickey"); n != 1 {
		t.Errorf("%d SSH connections were made", n)
	}
}

// Whoever waits for a session can give up.
func TestWaitingEndsWithItsContext(t *testing.T) {
	c := startServer(t).dial(t)
	work, release := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var running sync.WaitGroup
	running.Add(maxShells)
	for range maxShells {
		wg.Go(func() {
			err := c.Run(work, docker.Command{Argv: []string{"sh", "-c", "echo; exec sleep 1000"}, Stdout: onFirst(running.Done)})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("ended with %v", err)
			}
		})
	}
	running.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := c.Run(ctx, docker.Command{Argv: []string{"true"}})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "not run") || errors.Is(err, ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
	release()
	wg.Wait()
	run(t, c, "true")
}

// onFirst returns a writer that calls f at the first byte.
func onFirst(f func()) io.Writer { return &firstByte{f: sync.OnceFunc(f)} }

type firstByte struct{ f func() }

func (w *firstByte) Write(b []byte) (int, error) {
	w.f()
	return len(b), nil
}

func TestCancelKillsTheProcessGroup(t *testing.T) {
	for name, script := range map[string]string{
		"a plain command":             `echo $$; exec sleep 1000`,
		"with children":               `sleep 1001 & a=$!; sleep 1002 & echo $$ $a $!; wait`,
		"deaf to SIGTERM":             `trap "" TERM; sleep 1003 & echo $$ $!; while :; do wait; done`,
		"children deaf, leader not":   `sh -c "trap \"\" TERM; echo \$\$; exec sleep 1004" & wait`,
		"children with other outputs": `(trap "" TERM; exec sleep 1005 >/dev/null 2>&1 </dev/null) & echo $$ $!; wait`,
	} {
		t.Run(name, func(t *testing.T) {
			for _, how := range []string{"cancel", "lost", "close"} {
				t.Run(how, func(t *testing.T) {
					s := startServer(t)
					p := startProxy(t, s.address, 0)
					c := s.dial(t, p.use)
					ctx, cancel := context.WithCancelCause(t.Context())
					defer cancel(nil)
					started := make(chan string, 1)
					done := make(chan error, 1)
					go func() {
						done <- c.Run(ctx, docker.Command{Argv: []string{"sh", "-c", script}, Stdout: firstLine(started)})
					}()
					pids := strings.Fields(<-started)
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
func TestGuardIsReplaced(t *testing.T) {
	c := startServer(t).dial(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	started, done := make(chan string, 1), make(chan error, 1)
	go func() {
		done <- c.Run(ctx, docker.Command{Argv: []string{"sh", "-c", "trap '' TERM; echo $$; while :; do sleep 1; done"}, Stdout: firstLine(started)})
	}()
	pid := <-started
	c.guard.mu.Lock()
	old := c.guard.shell
	c.guard.mu.Unlock()
	run(t, c, "kill", "-9", strconv.Itoa(old.group))
	eventually(t, 10*time.Second, "the loss of the guard", func() bool {
		c.guard.mu.Lock()
		defer c.guard.mu.Unlock()
		return c.guard.shell != old
	})
	run(t, c, "true")
	c.Close()
	if err := <-done; !errors.Is(err, ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
	eventually(t, 20*time.Second, "the end of process "+pid, func() bool { return !runs(pid) })
}

// A session in which a command was to run and did not is no success.
func TestSpareShellThatDied(t *testing.T) {
	c := startServer(t).dial(t)
	run(t, c, "true")
	eventually(t, 10*time.Second, "spare shells", func() bool {
		c.shells.mu.Lock()
		defer c.shells.mu.Unlock()
		return len(c.shells.ready) == spareShells
	})
	for range spareShells {
		c.shells.mu.Lock()
		group := c.shells.ready[0].group
		c.shells.mu.Unlock()
		if p, err := os.FindProcess(group); err != nil || p.Kill() != nil {
			t.Fatalf("killing %d: %v", group, err)
		}
		eventually(t, 10*time.Second, "a dead spare shell to be noticed", func() bool {
			c.shells.mu.Lock()
			defer c.shells.mu.Unlock()
			return len(c.shells.ready) == 0 || c.shells.ready[0].group != group
		})
	}
	if got := run(t, c, "echo", "here"); got != "here\n" {
		t.Errorf("got %q", got)
	}
}
