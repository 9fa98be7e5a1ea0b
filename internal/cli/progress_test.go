package cli

import (
	"bytes"
	"context"
	"os"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/shell"
	"github.com/labctl/labctl/provision/ec2"
)

// TestWhatYesAnswers: --yes is about money, and does not destroy anything. Off a terminal everything else is no.
func TestWhatYesAnswers(t *testing.T) {
	for _, c := range []struct {
		kind      ec2.Kind
		yes, want bool
	}{
		{ec2.AskPrice, false, false}, {ec2.AskPrice, true, true}, {ec2.AskReplace, false, false}, {ec2.AskReplace, true, false},
	} {
		a := newApp(Process{Args: []string{"labctl"}})
		a.yes = c.yes
		if got, err := a.machine(0).Confirm(t.Context(), ec2.Question{Kind: c.kind, Text: "Really?"}); err != nil || got != c.want {
			t.Errorf("%s, --yes %v: %v, %v", c.kind, c.yes, got, err)
		}
	}
}

// onTerminal is an app whose user sits at a terminal, of which the other side is returned.
func onTerminal(t *testing.T) (*app, *os.File) {
	t.Helper()
	master, terminal, err := shell.OpenTerminal()
	if err != nil {
		t.Fatal(err)
	}
	a := newApp(Process{In: terminal, Err: terminal, Environ: []string{"TERM=xterm"}})
	t.Cleanup(func() { a.progress.Close(); terminal.Close(); master.Close() })
	return a, master
}

// shows reads a terminal until it has shown the text.
func shows(t *testing.T, master *os.File, text string) string {
	t.Helper()
	var seen bytes.Buffer
	buf := make([]byte, 1024)
	for !bytes.Contains(seen.Bytes(), []byte(text)) {
		n, err := master.Read(buf)
		seen.Write(buf[:n])
		if err != nil {
			t.Fatalf("%v; it shows %q", err, &seen)
		}
	}
	return seen.String()
}

// TestOneCtrlCIsEnough: a question that nobody answers ends with the context, while the progress stands still.
func TestOneCtrlCIsEnough(t *testing.T) {
	a, master := onTerminal(t)
	a.progress.Emit(event.Started{Addr: "cluster.kind.c", Verb: "apply"})
	defer a.progress.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	answered := make(chan bool, 1)
	go func() { answered <- a.ask(ctx, "Go on?") }()
	shows(t, master, "Go on? [y/N] ")
	cancel(errInterrupted)
	select {
	case yes := <-answered:
		if yes {
			t.Error("the answer is yes")
		}
	case <-time.After(10 * time.Second):
		t.Error("the question outlives Ctrl-C")
	}
}
