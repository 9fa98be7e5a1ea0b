package view

import (
	"strings"
)

// least is the room below which text is not set beside what leads it, but under it.
const least = 24

// wrapLine lays a line out in at most width columns: it is broken at spaces, and what follows begins below the
// column hang. A word that is longer than that stays whole, and so do a command in backticks that fits and a
// line that shows a command to type ("$ …"): the terminal breaks those, and they can still be copied. A width
// of 0 is that of no terminal: nothing is broken.
func wrapLine(line string, width, hang int) string {
	begin := len(line) - len(strings.TrimLeft(line, " "))
	if width <= 0 || columns(line) <= width || strings.HasPrefix(line[begin:], "$ ") {
		return line
	}
	if width-hang < least/2 {
		hang = min(2, width/4)
	}
	var out strings.Builder
	indent := strings.Repeat(" ", hang)
	out.WriteString(line[:begin])
	at, fresh := begin, true // fresh: the line has nothing that a break would save
	for gap, word := range words(line[begin:], width-hang) {
		n := columns(word)
		if !fresh && at+len(gap)+n > width {
			out.WriteString("\n" + indent)
			at, gap = hang, ""
		}
		out.WriteString(gap + word)
		at, fresh = at+len(gap)+n, false
	}
	return out.String()
}

// words yields the words of a line, each with the spaces before it. What is in backticks and not longer
// than most is one.
func words(line string, most int) func(yield func(gap, word string) bool) {
	return func(yield func(gap, word string) bool) {
		for line != "" {
			text := strings.TrimLeft(line, " ")
			gap := line[:len(line)-len(text)]
			end := wordEnd(text, most)
			if end == 0 || !yield(gap, text[:end]) {
				return
			}
			line = text[end:]
		}
	}
}

func wordEnd(text string, most int) int {
	end := strings.IndexByte(text, ' ')
	if end < 0 {
		return len(text)
	}
	if open := strings.IndexByte(text[:end], '`'); open >= 0 && strings.Count(text[:end], "`")%2 == 1 {
		if rest := strings.IndexByte(text[end:], '`'); rest >= 0 {
			whole := end + rest
			if after := strings.IndexByte(text[whole:], ' '); after >= 0 {
				whole += after
			} else {
				whole = len(text)
			}
			if columns(text[:whole]) <= most {
				return whole
			}
		}
	}
	return end
}

// wrapAll wraps each line of text. A line that has an indentation of its own keeps it, below hang.
func wrapAll(text string, width, hang int) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = wrapLine(line, width, hang+len(line)-len(strings.TrimLeft(line, " ")))
	}
	return strings.Join(lines, "\n")
}

// beside sets text to the right of its lead and wraps it there; where there is no room, below it. Either may
// be painted.
func beside(lead, text string, width int) string {
	hang := columns(lead)
	if width <= 0 || hang+columns(text) <= width || width-hang >= least {
		return wrapLine(lead+text, width, hang)
	}
	return wrapLine(strings.TrimRight(lead, " "), width, 4) + "\n" + wrapLine("    "+text, width, 4)
}

// reflow wraps a program's own help: lines of prose that follow one another are one paragraph, and of
// a line with a gap the part behind the gap is wrapped.
func reflow(text string, width int) string {
	if width <= 0 {
		return text
	}
	var out []string
	prose := false // the line before was such, and goes on
	for _, line := range strings.Split(text, "\n") {
		plain := line != "" && line[0] != ' ' && line[0] != '\t' && !strings.HasSuffix(line, ":")
		if plain && prose {
			out[len(out)-1] += " " + line
			continue
		}
		prose = plain
		out = append(out, line)
	}
	for i, line := range out {
		hang := len(line) - len(strings.TrimLeft(line, " "))
		if gap := strings.LastIndex(line, "  "); gap > hang {
			hang = gap + 2
		} else if hang > 0 {
			hang += 2
		}
		out[i] = wrapLine(line, width, hang)
	}
	return strings.Join(out, "\n")
}
