package cli

import (
	"sync"
	"testing"

	"github.com/labctl/labctl/internal/event"
)

// recorded is a view that remembers what goes through it.
type recorded struct {
	event.Recorder
	closed bool
}

func (r *recorded) Hold() func() { return func() {} }
func (r *recorded) Close()       { r.closed = true }

// TestNoticesGoThroughTheView: nothing else may write where a view does, and after it each is said by itself.
func TestNoticesGoThroughTheView(t *testing.T) {
	a := laptop(t, true)
	inner := &recorded{}
	v := a.display.show(inner)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { a.notice("AWS does not answer") })
	}
	wg.Wait()
	v.Close()
	a.notice("later")
	if got := event.Of[event.Notice](&inner.Recorder); len(got) != 4 || !got[0].Warning || got[0].Text != "AWS does not answer" || !inner.closed {
		t.Errorf("%+v, closed %v; want what was said while it was open", got, inner.closed)
	}
}
