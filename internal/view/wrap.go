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
	indent := text.Width(lead)
	if width <= 0 || indent+text.Width(said) <= width || width-indent >= least {
		return text.Wrap(lead+said, width, indent)
	}
	below := len(lead) - len(strings.TrimLeft(lead, " ")) + 4
	lines := text.Wrap(strings.Repeat(" ", below)+said, width, below)
	if lead = strings.TrimRight(lead, " "); lead == "" {
		return lines
	}
	return text.Wrap(lead, width, 4) + "\n" + lines
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
