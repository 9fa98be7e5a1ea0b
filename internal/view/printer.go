package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/labctl/labctl/internal/fault"
)

// Printer lays out results for people. It wraps nothing and cuts nothing. It is not safe for
// concurrent use.
type Printer struct {
	w     io.Writer
	paint painter
	err   error
}

// NewPrinter returns a printer that writes to w, with colours where color says so: on a terminal, and
// $NO_COLOR is empty.
func NewPrinter(w io.Writer, color bool) *Printer { return &Printer{w: w, paint: painter(color)} }

// Err returns the first error that writing met. Nothing was written after it.
func (p *Printer) Err() error { return p.err }

// Title writes a heading on a line of its own.
func (p *Printer) Title(format string, args ...any) {
	p.line(p.paint.paint(bold, oneLine(fmt.Sprintf(format, args...))))
}

// Text writes text, which may have several lines.
func (p *Printer) Text(format string, args ...any) { p.line(hang(fmt.Sprintf(format, args...), "")) }

// Blank writes an empty line.
func (p *Printer) Blank() { p.line("") }

// Table writes rows below their headers in columns that are as wide as their widest cell, two spaces
// apart. A row may have fewer cells than there are headers, or more; an empty table is its headers.
func (p *Printer) Table(headers []string, rows [][]string) {
	var widths []int
	grid := append([][]string{headers}, rows...)
	for i, cells := range grid {
		grid[i] = make([]string, len(cells))
		for j, cell := range cells {
			grid[i][j] = oneLine(cell)
			if j == len(widths) {
				widths = append(widths, 0)
			}
			widths[j] = max(widths[j], columns(grid[i][j]))
		}
	}
	for i, cells := range grid {
		var line strings.Builder
		for j, cell := range cells {
			line.WriteString(pad(cell, widths[j]+2))
		}
		text := strings.TrimRight(line.String(), " ")
		if i == 0 {
			text = p.paint.paint(bold, text)
		}
		p.line(text)
	}
}

// Mark says at a glance what is so with an item.
type Mark int

// The marks. The first four are answers, the others are what a plan does.
const (
	Note      Mark = iota // ·
	Good                  // ✓
	Bad                   // ✗
	Uncertain             // ?
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
		widest = max(widest, columns(oneLine(it.Name)))
	}
	for _, it := range items {
		mark := it.Mark.piece()
		line := p.paint.paint(mark.style, mark.text) + " "
		if widest > 0 {
			line += pad(oneLine(it.Name), widest) + "  "
		}
		p.line(strings.TrimRight(line+oneLine(it.Text), " "))
		for _, part := range it.Parts {
			mark := part.Mark.piece()
			p.line("    " + p.paint.paint(mark.style, mark.text) + " " + oneLine(part.Text))
			for _, e := range part.Evidence {
				p.line("        " + p.paint.paint(dim, hang(e, "        ")))
			}
		}
		for _, e := range it.Evidence {
			p.line("    " + p.paint.paint(dim, hang(e, "    ")))
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
		p.line(p.paint.paint(bold, lead) + hang(hint, "      "))
		lead = "      "
	}
}

// Problem writes an error as people see it: "labctl: " and the error, then what to type next where it
// says so (fault.NextOf).
func (p *Printer) Problem(err error) {
	p.line(p.paint.paint(red, "labctl: ") + hang(err.Error(), "  "))
	p.Next(fault.NextOf(err))
}

func (p *Printer) line(s string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, s+"\n")
	}
}
