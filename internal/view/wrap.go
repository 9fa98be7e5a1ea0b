package view

import (
	"strings"

	"github.com/labctl/labctl/internal/text"
	"github.com/labctl/labctl/internal/untrusted"
)

// least is the room below which text is not set beside what leads it, but under it.
const least = 24

// beside sets text to the right of its lead and wraps it there; where there is no room, below it. Either may
// be painted.
func beside(lead, said string, width int) string {
	column := text.Width(lead)
	indent := column + text.Indent(said)
	if width <= 0 || column+text.Width(said) <= width || width-indent >= least {
		return text.Wrap(lead+said, width, indent)
	}
	lead = strings.TrimRight(lead, " ")
	below := len(lead) - len(strings.TrimLeft(lead, " ")) + 4
	said = text.Wrap(strings.Repeat(" ", below)+said, width, below+text.Indent(said))
	if lead == "" {
		return said
	}
	return text.Wrap(lead, width, 4) + "\n" + said
}

// settled is text of several lines that is written once, to the right of its lead.
type settled struct{ lead, text string }

// lines lays it out at a terminal's width.
func (s settled) lines(width int) []string {
	indent := strings.Repeat(" ", text.Width(s.lead))
	var all []string
	for i, line := range strings.Split(s.text, "\n") {
		lead := s.lead
		if i > 0 {
			lead = indent
		}
		all = append(all, strings.Split(beside(lead, line, width), "\n")...)
	}
	return all
}

// hang makes text of several lines one of which each but the first is indented.
func hang(s, indent string) string {
	return strings.ReplaceAll(strings.TrimRight(untrusted.Text(s), " \n"), "\n", "\n"+indent)
}

// indented wraps text of several lines, all of which begin at a column.
func indented(s string, column, width int) string {
	indent := strings.Repeat(" ", column)
	return text.WrapLines(indent+hang(s, indent), width, 2)
}

// reflow wraps a program's own help: lines of prose that follow one another are one paragraph, and of
// a line with a gap the part behind the gap is wrapped.
func reflow(help string, width int) string {
	if width <= 0 {
		return help
	}
	var out []string
	prose := false // the line before was such, and goes on
	for _, line := range strings.Split(help, "\n") {
		plain := line != "" && line[0] != ' ' && line[0] != '\t' && !strings.HasSuffix(line, ":")
		if plain && prose {
			out[len(out)-1] += " " + line
			continue
		}
		prose = plain
		out = append(out, line)
	}
	for i, line := range out {
		if gap := strings.LastIndex(line, "  "); gap > 0 && strings.TrimLeft(line[:gap], " ") != "" {
			out[i] = beside(line[:gap+2], line[gap+2:], width)
		} else {
			out[i] = text.WrapLines(line, width, min(2, len(line)-len(strings.TrimLeft(line, " "))))
		}
	}
	return strings.Join(out, "\n")
}
