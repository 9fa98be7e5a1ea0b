package view

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/text"
	"github.com/labctl/labctl/internal/untrusted"
)

// A step that runs longer than firstBeat is mentioned then and again each firstBeat, after a minute
// each laterBeat: enough for whoever watches, and for a CI that ends what is silent.
const (
	firstBeat = 10 * time.Second
	laterBeat = 30 * time.Second
	beatCheck = time.Second
)

type plain struct {
	w    io.Writer
	now  func() time.Time
	size func() (int, int) // of a terminal that cannot move its cursor; zero where it is none

	mu     sync.Mutex // guards what follows, and w
	rows   rows
	broken bool
	closed bool

	stop, stopped chan struct{}
}

func newPlain(w io.Writer, opt Options) *plain {
	p := &plain{w: w, now: opt.Now, size: opt.Size, stop: make(chan struct{}), stopped: make(chan struct{})}
	go p.beat()
	return p
}

func (p *plain) Emit(e event.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	now := p.now()
	p.rows.take(e, now)
	switch e := e.(type) {
	case event.Started:
		p.rows.find(e.Addr).nextBeat = now.Add(firstBeat)
		switch {
		case e.Verb == event.Observe:
		case e.Expect > 0:
			p.print(e.Addr, "%s (usually ~%s)", doing(e.Verb), count.Running(e.Expect.Round(time.Second)))
		default:
			p.print(e.Addr, "%s", doing(e.Verb))
		}
	case event.Progress:
		p.rows.find(e.Addr).nextBeat = now.Add(firstBeat)
	case event.Milestone:
		if r := p.rows.find(e.Addr); r != nil {
			p.print(e.Addr, "reached %s after %s", untrusted.Line(e.Name), count.Elapsed(now.Sub(r.began)))
		} else {
			p.print(e.Addr, "reached %s", untrusted.Line(e.Name))
		}
	case event.Finished:
		switch {
		case silent(e):
		case e.Result == event.Skipped:
			p.print(e.Addr, "%s", outcome(e))
		default:
			p.print(e.Addr, "%s (%s)", outcome(e), count.Elapsed(e.Elapsed))
		}
	case event.Notice:
		mark := "note"
		if e.Warning {
			mark = "warning"
		}
		p.write(settled{mark + ": ", hang(about(e.Addr)+e.Text, "")}.lines(p.width()))
	}
}

// about is what a notice about a resource begins with.
func about(addr string) string {
	if addr == "" {
		return ""
	}
	return untrusted.Line(addr) + ": "
}

// beat says of each step that has run for long that it still runs.
func (p *plain) beat() {
	defer close(p.stopped)
	tick := time.NewTicker(beatCheck)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
		}
		p.mu.Lock()
		now := p.now()
		for _, r := range p.rows {
			if r.nextBeat.IsZero() || now.Before(r.nextBeat) {
				continue
			}
			since := now.Sub(r.stepBegan)
			r.nextBeat = now.Add(firstBeat)
			if since >= time.Minute {
				r.nextBeat = now.Add(laterBeat)
			}
			expect := r.stepExpect
			if r.step == "" {
				expect = r.expect
			}
			p.say(fmt.Sprintf("still working: %s: %s (%s)", untrusted.Line(r.addr), r.doing(), progress(since, expect)))
		}
		p.mu.Unlock()
	}
}

func (p *plain) print(addr, format string, args ...any) {
	p.say(untrusted.Line(addr) + ": " + fmt.Sprintf(format, args...))
}

func (p *plain) width() int {
	columns, _ := p.size()
	return columns
}

func (p *plain) say(line string) { p.write([]string{text.Wrap(line, p.width(), 2)}) }

func (p *plain) write(lines []string) {
	if p.broken {
		return
	}
	_, err := io.WriteString(p.w, strings.Join(lines, "\n")+"\n")
	p.broken = err != nil
}

func (p *plain) Close() {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.stop)
	}
	p.mu.Unlock()
	<-p.stopped
}
