package view

import (
	"strings"

	"github.com/labctl/labctl/internal/text"
)

// style is how a piece of text looks on a terminal with colours.
type style string

const (
	normal style = ""
	dim    style = "2"
	bold   style = "1"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	cyan   style = "36"
)

// painter puts styles on text, or not.
type painter bool

func (p painter) paint(s style, what string) string {
	if !p || s == normal || what == "" {
		return what
	}
	return "\x1b[" + string(s) + "m" + what + "\x1b[0m"
}

// piece is text of one style.
type piece struct {
	style style
	text  string
}

// fit paints pieces on one line of at most width columns.
func (p painter) fit(width int, pieces ...piece) string {
	all := ""
	for _, c := range pieces {
		all += c.text
	}
	line, end, kept := "", "", text.Shorten(all, width)
	if kept != all && kept != "" {
		kept, end = strings.TrimSuffix(kept, "…"), "…"
	}
	for _, c := range pieces {
		n := min(len(c.text), len(kept))
		line += p.paint(c.style, kept[:n])
		kept = kept[n:]
	}
	return line + end
}
