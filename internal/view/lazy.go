package view

import (
	"sync"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
)

// Lazy is a sink that opens a view at the first event, for who prints other things as well and closes it before that.
// It is safe for concurrent use.
type Lazy struct {
	Open func() View

	mu   sync.Mutex
	view View
}

// Emit implements event.Sink. It shows no password of a URL: what docker, kind and registries say comes here.
func (l *Lazy) Emit(e event.Event) {
	switch it := e.(type) {
	case event.Finished:
		it.Error, it.Detail = clierr.Redact(it.Error), clierr.Redact(it.Detail)
		e = it
	case event.Notice:
		it.Text = clierr.Redact(it.Text)
		e = it
	}
	l.mu.Lock()
	if l.view == nil {
		l.view = l.Open()
	}
	v := l.view
	l.mu.Unlock()
	v.Emit(e)
}

// Close shows what there still is to show and gives the terminal back. What is emitted later opens a new view.
func (l *Lazy) Close() {
	l.mu.Lock()
	v := l.view
	l.view = nil
	l.mu.Unlock()
	if v != nil {
		v.Close()
	}
}

// Hold has nothing shown until release is called, so that a question can be asked.
func (l *Lazy) Hold() (release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.view == nil { // what is emitted meanwhile has to wait as well
		l.view = l.Open()
	}
	return l.view.Hold()
}
