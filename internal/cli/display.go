package cli

import (
	"sync"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/view"
	"github.com/labctl/labctl/provision/ec2"
)

// display knows the view that is open, so that what has to be said while it is goes through it.
type display struct {
	mu     sync.Mutex
	open   view.View
	saying sync.Mutex // held while something is said, since without a view each opens one
}

// shown is a view that the display forgets when it is closed.
type shown struct {
	view.View
	display *display
}

func (d *display) show(v view.View) view.View {
	s := &shown{v, d}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = s
	return s
}

// Close implements view.View.
func (s *shown) Close() {
	s.display.mu.Lock()
	if s.display.open == s {
		s.display.open = nil
	}
	s.display.mu.Unlock()
	s.View.Close()
}

// hold has nothing shown until release is called, so that a question can be asked.
func (d *display) hold() (release func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open == nil {
		return func() {}
	}
	return d.open.Hold()
}

// notice says something that is about no resource, in the view that is open or by itself.
func (a *app) notice(text string) {
	a.display.saying.Lock()
	defer a.display.saying.Unlock()
	a.display.mu.Lock()
	open := a.display.open
	a.display.mu.Unlock()
	if open == nil {
		open = a.view()
		defer open.Close()
	}
	open.Emit(event.Notice{Text: text, Warning: true})
}

// aws says how AWS is reached in a region; tries is how often a call is made, 0 for as often as an act is worth.
func (a *app) aws(region string, tries int) ec2.ClientOptions {
	return ec2.ClientOptions{Region: region, Attempts: tries, OnRetry: a.notice}
}
