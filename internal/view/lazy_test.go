package view

import (
	"strings"
	"sync"
	"testing"

	"github.com/labctl/labctl/internal/event"
)

// recordedView is a view that remembers what goes through it.
type recordedView struct {
	event.Recorder
	mu           sync.Mutex
	held, closed bool
}

func (r *recordedView) Hold() func() {
	r.set(&r.held, true)
	return func() { r.set(&r.held, false) }
}

func (r *recordedView) Close() { r.set(&r.closed, true) }

func (r *recordedView) set(what *bool, to bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*what = to
}

// recording returns a Lazy whose views are recorded, and those that it has opened.
func recording() (*Lazy, *[]*recordedView) {
	var views []*recordedView
	return &Lazy{Open: func() View {
		views = append(views, &recordedView{})
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
		release := p.Hold()
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
func TestLazyShowsNoPassword(t *testing.T) {
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
