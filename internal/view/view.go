// Package view shows people and programs what labctl does and found: it renders events as they come
// (a live display on a terminal, plain lines elsewhere, NDJSON) and prints results. It decides nothing,
// and it knows of no resource, lab or check: it is given text and lays it out.
package view

import (
	"io"
	"time"

	"github.com/labctl/labctl/internal/event"
)

// Mode is a way to render events.
type Mode string

// The modes.
const (
	// TTY keeps a row per resource in work up to date in place.
	TTY Mode = "tty"
	// Plain writes whole lines and moves no cursor: for pipes, files and CI logs.
	Plain Mode = "plain"
	// NDJSON writes docs/events.md's lines, for programs.
	NDJSON Mode = "ndjson"
)

// ModeFor returns the mode for an output: TTY on a terminal that can move its cursor, else Plain.
func ModeFor(terminal bool, getenv func(string) string) Mode {
	if term := getenv("TERM"); !terminal || term == "" || term == "dumb" {
		return Plain
	}
	return TTY
}

// Options are what a view needs to know of its surroundings. The zero value will do.
type Options struct {
	// Now is the clock; nil means time.Now. It should run as fast as the real one, which paces redrawing.
	Now func() time.Time
	// Size returns the terminal's columns and rows at this moment, and is asked before each write. Nil or a
	// result of zero: TTY takes 80 and 24, and Plain, which then is on no terminal, wraps nothing.
	Size func() (columns, rows int)
	// NoColor turns colour off; set it when $NO_COLOR is not empty. Only TTY has any.
	NoColor bool
}

// View renders events. It is safe for concurrent use and nobody else may write to its output until it
// is closed.
type View interface {
	event.Sink
	// Close shows what there still is to show and gives the terminal back as it was. Events that come
	// after it are dropped. It may be called more than once.
	Close()
}

// New returns a view that writes to w. It must be closed. An output that fails is not written to
// again: that nobody looks any more is no reason to stop working.
func New(mode Mode, w io.Writer, opt Options) View {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Size == nil {
		opt.Size = func() (int, int) { return 0, 0 }
	}
	switch mode {
	case NDJSON:
		return lines{event.NewNDJSON(w, opt.Now)}
	case TTY:
		return newTTY(w, opt)
	}
	return newPlain(w, opt)
}

// lines is a view that has nothing to clean up.
type lines struct{ event.Sink }

func (lines) Close() {}
