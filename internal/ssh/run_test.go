//go:build e2e

package ssh

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/command"
)

var _ command.Runner = (*Conn)(nil)

// run runs a command that is expected to succeed.
func run(t *testing.T, c *Conn, argv ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := c.Run(background(t, time.Minute), command.Command{Argv: argv, Stdout: &out}); err != nil {
		t.Fatalf("%q: %v", argv, err)
	}
	return out.String()
}

func TestExitCodes(t *testing.T) {
	c := startServer(t).dial(t)
	var wg sync.WaitGroup
	for code := range 256 {
		wg.Go(func() {
			err := c.Run(background(t, 5*time.Minute), command.Command{Argv: []string{"sh", "-c", "echo oops >&2; exit " + strconv.Itoa(code)}})
			var exit *command.ExitError
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
		err := c.Run(background(t, time.Minute), command.Command{Argv: []string{"sh", "-c", "ulimit -c 0; echo last words >&2; kill -s " + signal + " $$"}})
		var ended *SignalError
		var exit *command.ExitError
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
		err := c.Run(background(t, time.Minute), command.Command{Argv: []string{argv0}})
		var exit *command.ExitError
		if !errors.As(err, &exit) || exit.Code != 127 || !strings.Contains(err.Error(), "executable file not found") {
			t.Errorf("%s: %v", argv0, err)
		}
	}
	for _, argv := range [][]string{nil, {""}, {"-x"}, {"echo", "a\x00b"}} {
		var exit *command.ExitError
		if err := c.Run(t.Context(), command.Command{Argv: argv}); err == nil || errors.As(err, &exit) {
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
		if err := c.Run(background(t, time.Minute), command.Command{Argv: []string{"sh", "-c", "yes | head -c 5000000; exit 0"}}); err != nil {
			t.Error(err)
		}
	})
	t.Run("64 MiB through stdin and back", func(t *testing.T) {
		const size = 64 << 20
		source, sent, back := rand.NewChaCha8([32]byte{7}), sha256.New(), sha256.New()
		err := c.Run(background(t, 2*time.Minute), command.Command{Argv: []string{"cat"}, Stdin: io.TeeReader(io.LimitReader(source, size), sent), Stdout: back})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(sent.Sum(nil), back.Sum(nil)) {
			t.Error("what came back is not what was sent")
		}
	})
	t.Run("stdout and stderr are two", func(t *testing.T) {
		var out, errs bytes.Buffer
		err := c.Run(background(t, time.Minute), command.Command{Argv: []string{"sh", "-c", "echo out; echo err >&2"}, Stdout: &out, Stderr: &errs})
		if err != nil || out.String() != "out\n" || errs.String() != "err\n" {
			t.Errorf("stdout %q, stderr %q, %v", &out, &errs, err)
		}
	})
	t.Run("or one", func(t *testing.T) {
		var both bytes.Buffer
		err := c.Run(background(t, time.Minute), command.Command{Argv: []string{"sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do echo out; echo err >&2; done"}, Stdout: &both, Stderr: &both})
		if err != nil || strings.Count(both.String(), "out\n") != 9 || strings.Count(both.String(), "err\n") != 9 {
			t.Errorf("%q, %v", &both, err)
		}
	})
	t.Run("output arrives while the command runs", func(t *testing.T) {
		input, feed := io.Pipe()
		seen, out := io.Pipe()
		done := make(chan error, 1)
		go func() {
			done <- c.Run(background(t, time.Minute), command.Command{Argv: []string{"cat"}, Stdin: input, Stdout: out})
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
		err := c.Run(background(t, time.Minute), command.Command{Argv: []string{"true"}, Stdin: io.LimitReader(rand.NewChaCha8([32]byte{}), 16<<20)})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("an input that blocks when the command is done", func(t *testing.T) {
		input, feed := io.Pipe()
		defer feed.Close()
		within(t, 10*time.Second, "true", func() {
			if err := c.Run(t.Context(), command.Command{Argv: []string{"true"}, Stdin: input}); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("an input that fails", func(t *testing.T) {
		broken := errors.New("disk on fire")
		err := c.Run(background(t, time.Minute), command.Command{Argv: []string{"cat"}, Stdin: io.MultiReader(strings.NewReader("half"), failing{broken})})
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("an output that fails", func(t *testing.T) {
		broken := errors.New("disk full")
		err := c.Run(background(t, time.Minute), command.Command{Argv: []string{"sh", "-c", "echo x; exec sleep 1000"}, Stdout: failing{broken}})
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a process that is left behind and holds the output", func(t *testing.T) {
		var out bytes.Buffer
		begin := time.Now()
		err := c.Run(background(t, time.Minute), command.Command{Argv: []string{"sh", "-c", "sleep 20 & echo $!"}, Stdout: &out})
		if took := time.Since(begin); err != nil || took > 15*time.Second {
			t.Errorf("%v after %s", err, took)
		}
		run(t, c, "kill", strings.TrimSpace(out.String()))
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }
