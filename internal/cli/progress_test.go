package cli

import (
	"bytes"
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/shell"
	"github.com/labctl/labctl/internal/view"
	"github.com/labctl/labctl/provision/ec2"
)

// recorded is a view that remembers what goes through it.
type recorded struct {
	event.Recorder
	mu           sync.Mutex
	held, closed bool
}

func (r *recorded) Hold() func() {
	r.set(&r.held, true)
	return func() { r.set(&r.held, false) }
}

func (r *recorded) Close() { r.set(&r.closed, true) }

func (r *recorded) set(what *bool, to bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*what = to
}

// recording returns a progress whose views are recorded, and those that it has opened.
func recording() (*progress, *[]*recorded) {
	var views []*recorded
	return &progress{open: func() view.View {
		views = append(views, &recorded{})
		return views[len(views)-1]
	}}, &views
}

// TestNoticesGoThroughTheView: nothing else may write where a view does: all that is said while it is open goes
// through that one, and what is said after it is closed through another.
func TestNoticesGoThroughTheView(t *testing.T) {
	p, views := recording()
	notice := event.Notice{Warning: true, Text: "AWS does not answer"}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { p.Emit(notice) })
	}
	wg.Wait()
	p.Close()
	p.Emit(event.Notice{Text: "later"})
	if len(*views) != 2 {
		t.Fatalf("%d views were opened, want one for what was said together and one for later", len(*views))
	}
	first, second := (*views)[0], (*views)[1]
	if got := event.Of[event.Notice](&first.Recorder); len(got) != 4 || got[0] != notice || !first.closed {
		t.Errorf("%+v, closed %v; want what was said while it was open", got, first.closed)
	}
	if got := event.Of[event.Notice](&second.Recorder); len(got) != 1 || got[0].Text != "later" || second.closed {
		t.Errorf("%+v, closed %v; want what was said later", got, second.closed)
	}
	p.Close()
	p.Close()
	if len(*views) != 2 || !second.closed {
		t.Errorf("closing twice: %d views, the last closed %v", len(*views), second.closed)
	}
}

// A question stands alone, whether something was shown before it or only comes while it is asked.
func TestNothingIsShownWhileAQuestionIsAsked(t *testing.T) {
	for _, before := range []int{0, 1} {
		p, views := recording()
		for range before {
			p.Emit(event.Notice{Text: "before"})
		}
		release := p.hold()
		p.Emit(event.Notice{Text: "meanwhile"})
		if len(*views) != 1 || !(*views)[0].held {
			t.Fatalf("with %d events before it, %d views are open and the first is not held", before, len(*views))
		}
		release()
		if (*views)[0].held {
			t.Error("after the answer nothing is shown either")
		}
	}
}

// Progress shows no password of a URL.
func TestProgressShowsNoPassword(t *testing.T) {
	p, views := recording()
	const text = "proxyconnect to http://ann:geheim@proxy: no"
	p.Emit(event.Notice{Text: text})
	p.Emit(event.Finished{Addr: "a", Error: text, Detail: text})
	events := (*views)[0].Events()
	notice, finished := events[0].(event.Notice), events[1].(event.Finished)
	for _, said := range []string{notice.Text, finished.Error, finished.Detail} {
		if strings.Contains(said, "geheim") || !strings.Contains(said, "@proxy: no") {
			t.Errorf("it shows %q", said)
		}
	}
}

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
