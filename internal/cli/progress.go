package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/term"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/terminal"
	"github.com/labctl/labctl/internal/view"
)

// progress shows events on stderr: it opens a view at the first and closes it before anything else is printed. It is
// safe for concurrent use.
type progress struct {
	open func() view.View

	mu   sync.Mutex
	view view.View
}

// Emit implements event.Sink. It shows no password of a URL: what docker, kind and registries say comes here.
func (p *progress) Emit(e event.Event) {
	switch it := e.(type) {
	case event.Finished:
		it.Error, it.Detail = clierr.Redact(it.Error), clierr.Redact(it.Detail)
		e = it
	case event.Notice:
		it.Text = clierr.Redact(it.Text)
		e = it
	}
	p.mu.Lock()
	if p.view == nil {
		p.view = p.open()
	}
	v := p.view
	p.mu.Unlock()
	v.Emit(e)
}

// Close shows what there still is to show and gives the terminal back. What is emitted later opens a new view.
func (p *progress) Close() {
	p.mu.Lock()
	v := p.view
	p.view = nil
	p.mu.Unlock()
	if v != nil {
		v.Close()
	}
}

// hold has nothing shown until release is called, so that a question can be asked.
func (p *progress) hold() (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.view == nil { // what is emitted meanwhile has to wait as well
		p.view = p.open()
	}
	return p.view.Hold()
}

// newView returns the view that fits stderr and --events.
func (a *app) newView() view.View {
	mode := view.ModeFor(terminal.Is(a.Process.Err), a.Getenv)
	switch a.events {
	case "ndjson":
		mode = view.NDJSON
	case "plain":
		mode = view.Plain
	}
	size := func() (columns, rows int) {
		columns, rows, _ = term.GetSize(int(a.Process.Err.Fd())) // zero where it is none
		return columns, rows
	}
	return view.New(mode, a.stderr, view.Options{Size: size, NoColor: !a.colour()})
}

// colour: on a terminal that can, unless https://no-color.org says no.
func (a *app) colour() bool {
	return terminal.Is(a.Process.Err) && a.Getenv("NO_COLOR") == "" && a.Getenv("TERM") != "dumb"
}

// canAsk: there is somebody to be asked.
func (a *app) canAsk() bool { return terminal.Is(a.In) && terminal.Is(a.Process.Err) }

// ask asks a yes-or-no question on a terminal, where no progress is drawn over it. Off a terminal, and when
// ctx ends before there is an answer, it is no.
func (a *app) ask(ctx context.Context, question string) bool {
	if !a.canAsk() {
		return false
	}
	defer a.progress.hold()()
	fmt.Fprintf(a.Err, "%s [y/N] ", question)
	line := make(chan string, 1)
	go func() { // a read from a terminal cannot be ended; labctl is about to end itself then
		text, _ := bufio.NewReader(a.In).ReadString('\n')
		line <- text
	}()
	select {
	case text := <-line:
		answer := strings.ToLower(strings.TrimSpace(text))
		return answer == "y" || answer == "yes"
	case <-ctx.Done():
		fmt.Fprintln(a.Err)
		return false
	}
}
