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

// frameTime is the least time between two redraws.
const frameTime = 100 * time.Millisecond

// The escape sequences used are those of a VT100, and DEC's private modes for the cursor and for
// wrapping, which every emulator in use has.
const (
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	noWrap     = "\x1b[?7l"
	wrap       = "\x1b[?7h"
	clearLine  = "\x1b[K" // from the cursor to the line's end
	clearBelow = "\x1b[J" // from the cursor to the screen's end
	newLine    = "\r\n"   // also right where the terminal is in raw mode
)

var spinner = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// tty shows a row for each resource in work at the bottom of the terminal. What is finished is written
// above them once, wrapped at the width of that moment, and then left alone: it scrolls as any other text. The rows are cut at the terminal's width and are never more than it is high:
// a row that wrapped or scrolled away could not be drawn over.
type tty struct {
	w     io.Writer
	now   func() time.Time
	size  func() (int, int)
	paint painter

	mu     sync.Mutex
	rows   rows
	above  []settled // what is to be written above the rows
	addrs  int       // the widest address so far
	closed bool

	// Of the drawing goroutine, and of Close after it.
	drawn  int // rows on the screen
	frames int
	broken bool

	stop, stopped chan struct{}
	holds         chan held
	finish        sync.Once
}

func newTTY(w io.Writer, opt Options) *tty {
	t := &tty{w: w, now: opt.Now, size: opt.Size, paint: painter(!opt.NoColor), stop: make(chan struct{}), stopped: make(chan struct{}), holds: make(chan held)}
	go t.run()
	return t
}

// Emit takes the event and returns; a terminal that is stopped (Ctrl-S) stops no work.
func (t *tty) Emit(e event.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.rows.take(e, t.now())
	switch e := e.(type) {
	case event.Started:
		t.addrs = max(t.addrs, text.Width(untrusted.Line(e.Addr)))
	case event.Finished:
		if !silent(e) {
			t.above = append(t.above, t.finished(e))
		}
	case event.Notice:
		mark := t.paint.paint(dim, "·")
		if e.Warning {
			mark = t.paint.paint(yellow, "!")
		}
		t.above = append(t.above, settled{mark + " ", hang(about(e.Addr)+e.Text, "")})
	}
}

func (t *tty) finished(f event.Finished) settled {
	mark, style := "✓", green
	switch f.Result {
	case event.Failed:
		mark, style = "✗", red
	case event.Skipped:
		mark, style = "-", yellow
	case event.Unchanged:
		style = dim
	}
	s := settled{t.paint.paint(style, mark) + " " + text.Pad(untrusted.Line(f.Addr), t.addrs) + "  ", outcome(f)}
	if f.Result != event.Skipped {
		s.text += "  " + t.paint.paint(dim, count.Elapsed(f.Elapsed))
	}
	return s
}

func (t *tty) run() {
	defer close(t.stopped)
	tick := time.NewTicker(frameTime)
	defer tick.Stop()
	for {
		select {
		case <-t.stop:
			return
		case <-tick.C:
			t.draw(false)
		case h := <-t.holds:
			t.pause(h)
		}
	}
}

// Close writes what is not yet written. Rows that are still there were left in the middle: they stay on
// the screen as such.
func (t *tty) Close() {
	t.finish.Do(func() {
		close(t.stop)
		<-t.stopped
		t.draw(true)
	})
}

// draw brings the screen up to date in one write.
func (t *tty) draw(last bool) {
	above, live := t.frame(last)
	// The cursor stands below the rows that were drawn last.
	var out strings.Builder
	if t.frames == 0 && len(live) > 0 {
		out.WriteString(hideCursor)
	}
	if t.drawn > 0 {
		fmt.Fprintf(&out, "\x1b[%dA\r", t.drawn)
	}
	if len(above) > 0 {
		// Before and not after each line: a line that fills the terminal's width leaves the cursor on its
		// last character, which clearing would take away.
		if t.drawn > 0 {
			out.WriteString(clearBelow)
		}
		out.WriteString(strings.Join(above, newLine) + newLine)
	}
	if len(live) > 0 {
		// Whatever is thought of a character's width here, the terminal must not wrap.
		out.WriteString(noWrap + strings.Join(live, clearLine+newLine) + clearLine + newLine + wrap)
		t.frames++
	}
	if t.drawn > 0 {
		out.WriteString(clearBelow)
	}
	t.drawn = len(live)
	if last && t.frames > 0 {
		out.WriteString(showCursor)
	}
	if out.Len() == 0 || t.broken {
		return
	}
	_, err := io.WriteString(t.w, out.String())
	t.broken = err != nil
}

// frame returns the lines to write above the rows, which are then forgotten, and the rows.
func (t *tty) frame(last bool) (above, live []string) {
	width, height := t.size()
	if width <= 0 || height <= 0 {
		width, height = 80, 24
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.above {
		above = append(above, s.lines(width)...)
	}
	t.above = nil
	now := t.now()
	if last {
		t.closed = true
		for _, r := range t.rows {
			lead, said := "", ""
			for i, p := range t.pieces(r, piece{yellow, "-"}, now, "not finished: ") {
				if i < 2 {
					lead += t.paint.paint(p.style, p.text)
				} else {
					said += t.paint.paint(p.style, p.text)
				}
			}
			above = append(above, settled{lead, said}.lines(width)...)
		}
		return above, nil
	}
	// The row that the cursor stands in is one as well.
	room := height - 1
	for i, r := range t.rows {
		if room == 0 {
			break
		}
		if i == room-1 && len(t.rows) > room {
			more := fmt.Sprintf("  … and %d more", len(t.rows)-i)
			live = append(live, t.paint.fit(width-1, piece{dim, more}))
			break
		}
		spin := piece{cyan, spinner[t.frames%len(spinner)]}
		live = append(live, t.paint.fit(width-1, t.pieces(r, spin, now, "")...))
	}
	return above, live
}

// pieces lays a row out. The time comes before the step, so that a narrow terminal cuts the step.
func (t *tty) pieces(r *row, mark piece, now time.Time, lead string) []piece {
	step := lead + r.doing()
	if r.stepExpect > 0 {
		step += " (" + progress(now.Sub(r.stepBegan), r.stepExpect) + ")"
	}
	p := []piece{mark, {normal, " " + text.Pad(untrusted.Line(r.addr), t.addrs) + "  "},
		{dim, progress(now.Sub(r.began), r.expect)}, {normal, "  " + step}}
	if len(r.milestones) > 0 {
		p = append(p, piece{dim, "  [" + untrusted.Line(strings.Join(r.milestones, " ")) + "]"})
	}
	return p
}
