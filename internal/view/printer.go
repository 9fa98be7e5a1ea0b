package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/text"
	"github.com/labctl/labctl/internal/untrusted"
)

// Printer lays out results for people. It is not safe for concurrent use.
type Printer struct {
	w     io.Writer
	paint painter
	width int
	err   error
}

// NewPrinter returns a printer that writes to w, with colours where color says so: on a terminal, and
// $NO_COLOR is empty. It wraps nothing, see Width.
func NewPrinter(w io.Writer, color bool) *Printer { return &Printer{w: w, paint: painter(color)} }

// Width makes the printer wrap what it prints between words, at a terminal's width; 0: not at all. It
// returns the printer.
func (p *Printer) Width(columns int) *Printer {
	p.width = columns
	return p
}

// Title writes a heading on a line of its own.
func (p *Printer) Title(format string, args ...any) {
	p.line(p.paint.paint(bold, text.Wrap(untrusted.Line(fmt.Sprintf(format, args...)), p.width, 2)))
}

// Text writes text, which may have several lines.
func (p *Printer) Text(format string, args ...any) {
	p.line(text.WrapLines(hang(fmt.Sprintf(format, args...), ""), p.width, 0))
}

// Verbatim writes text that is meant to be copied: a command, a path. It is not wrapped.
func (p *Printer) Verbatim(s string) { p.line(hang(s, "")) }

// Help writes the program's own help.
func (p *Printer) Help(help string) { p.line(reflow(hang(help, ""), p.width)) }

// Blank writes an empty line.
func (p *Printer) Blank() { p.line("") }

// Mark says at a glance what is so with an item.
type Mark int

// The marks. The first five are answers, the others are what a plan does.
const (
	_         Mark = iota // ·, of an item that says none
	Good                  // ✓
	Bad                   // ✗
	Uncertain             // ?
	Neutral               // ●, of what is as it should be and still to be worked on
	Create                // +
	Change                // ~
	Destroy               // -
	Keep                  // =
)

func (m Mark) piece() piece {
	switch m {
	case Good:
		return piece{green, "✓"}
	case Bad:
		return piece{red, "✗"}
	case Uncertain:
		return piece{yellow, "?"}
	case Neutral:
		return piece{dim, "●"}
	case Create:
		return piece{green, "+"}
	case Change:
		return piece{yellow, "~"}
	case Destroy:
		return piece{red, "-"}
	case Keep:
		return piece{dim, "="}
	}
	return piece{dim, "·"}
}

// Item is one line of a result, with what it rests on.
type Item struct {
	Mark Mark
	// Name is what the item is about: an address, a scenario. Names are aligned with each other.
	Name string
	// Text is one sentence about it.
	Text string
	// Parts are what it consists of, each with its own mark.
	Parts []Item
	// Evidence is what was seen, in the world's own words; each may have several lines.
	Evidence []string
}

// List writes items, each with its evidence indented below it: a verification, a status, a plan.
func (p *Printer) List(items ...Item) {
	widest := 0
	for _, it := range items {
		widest = max(widest, text.Width(untrusted.Line(it.Name)))
	}
	for _, it := range items {
		mark := it.Mark.piece()
		lead := p.paint.paint(mark.style, mark.text) + " "
		if widest > 0 {
			lead += text.Pad(untrusted.Line(it.Name), widest) + "  "
		}
		p.line(strings.TrimRight(beside(lead, untrusted.Line(it.Text), p.width), " "))
		for _, part := range it.Parts {
			mark := part.Mark.piece()
			p.line(beside("    "+p.paint.paint(mark.style, mark.text)+" ", untrusted.Line(part.Text), p.width))
			for _, e := range part.Evidence {
				p.line("        " + p.paint.paint(dim, indented(e, 8, p.width)[8:]))
			}
		}
		for _, e := range it.Evidence {
			p.line("    " + p.paint.paint(dim, indented(e, 4, p.width)[4:]))
		}
	}
}

// Next writes what could be typed next, a full sentence or a command each; nothing without any.
func (p *Printer) Next(hints ...string) {
	lead := "Next: "
	for _, hint := range hints {
		if hint == "" {
			continue
		}
		for _, line := range strings.Split(hang(hint, ""), "\n") {
			p.line(beside(p.paint.paint(bold, lead), line, p.width))
			lead = "      "
		}
	}
}

// Problem writes an error as people see it: "labctl: " and the error, then what to type next where it
// says so (clierr.NextOf).
func (p *Printer) Problem(err error) {
	p.line(text.WrapLines(p.paint.paint(red, "labctl: ")+hang(err.Error(), "  "), p.width, 2))
	p.Next(clierr.NextOf(err))
}

func (p *Printer) line(s string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, s+"\n")
	}
}
