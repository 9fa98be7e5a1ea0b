// Package text measures text in the columns of a terminal, and wraps and shortens it to them. It is the only
// importer of the package that knows characters of two columns, characters of several code points, and escape
// codes. It makes nothing harmless: package untrusted does.
package text

import (
	"regexp"
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// narrowest is the room, in columns, below which text is not wrapped beside an indentation.
const narrowest = 12

// measure takes escape codes for what they are.
var measure = displaywidth.Options{ControlSequences: true}

// Width returns how many columns s takes. Escape codes take none.
func Width(s string) int { return measure.String(s) }

// Strip returns s without the escape codes in it. Other control codes stay: what is from outside is not safe by it.
func Strip(s string) string {
	var out strings.Builder
	for g := measure.StringGraphemes(s); g.Next(); {
		if !strings.HasPrefix(g.Value(), "\x1b") {
			out.WriteString(g.Value())
		}
	}
	return out.String()
}

// Pad fills s up with spaces to n columns.
func Pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-Width(s))) }

// Wrap breaks one line at spaces, so that it takes at most width columns. The lines after the first are indented
// by indent columns, or by fewer where that would leave no room. A word that is wider than a line stays whole, and
// so do a command in backticks that fits on a line, and a line that shows a command to type ("$ …"): the terminal
// breaks those, and they can still be copied. With a width of 0 nothing is broken.
func Wrap(line string, width, indent int) string {
	body := strings.TrimLeft(line, " ")
	begin := len(line) - len(body)
	if width <= 0 || Width(line) <= width || strings.HasPrefix(body, "$ ") {
		return line
	}
	if width-begin < narrowest {
		begin = min(begin, width/4)
	}
	if width-indent < narrowest {
		indent = min(indent, begin+2, width/4)
	}
	var out strings.Builder
	at, end := begin, 0 // the column, and the end of the last word
	for _, word := range words(body, width-indent) {
		gap, n := word[0]-end, Width(body[word[0]:word[1]])
		if end > 0 && at+gap+n > width && at+gap > indent { // else the next line would have no more room
			out.WriteString("\n")
			at, gap = 0, indent
		}
		out.WriteString(strings.Repeat(" ", gap) + body[word[0]:word[1]])
		at, end = at+gap+n, word[1]
	}
	return strings.Repeat(" ", begin) + out.String()
}

// A word may have commands in backticks in it, which have spaces of their own.
var (
	wordOrCommand = regexp.MustCompile("(?:[^ `]*`[^`]*`)+[^ `]*|[^ ]+")
	wordAlone     = regexp.MustCompile("[^ ]+")
)

// words returns where each word of s begins and ends. A command that is wider than most is the words that it has.
func words(s string, most int) [][]int {
	var all [][]int
	for _, word := range wordOrCommand.FindAllStringIndex(s, -1) {
		if part := s[word[0]:word[1]]; Width(part) > most {
			for _, inner := range wordAlone.FindAllStringIndex(part, -1) {
				all = append(all, []int{word[0] + inner[0], word[0] + inner[1]})
			}
			continue
		}
		all = append(all, word)
	}
	return all
}

// marker is what an entry of a list begins with.
var marker = regexp.MustCompile(`^ *(?:(?:[-*•·]|[0-9]+\.) +)?`)

// Indent returns the column at which the text of a line begins, behind its spaces and what marks it as an entry.
func Indent(line string) int { return Width(marker.FindString(line)) }

// WrapLines wraps each line of s as Wrap does, indent columns further in than the line's own indentation. Under
// an entry of a list ("1. …", "- …") the indentation is that of the entry's text.
func WrapLines(s string, width, indent int) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Wrap(line, width, indent+Indent(line))
	}
	return strings.Join(lines, "\n")
}

// WrapWithin wraps one line to at most width columns: at spaces as Wrap does, and a word that is wider also within
// itself, after a character that separates the parts of names, addresses and paths, else anywhere.
func WrapWithin(line string, width int) string {
	lines := strings.Split(Wrap(line, width, 0), "\n")
	for i, l := range lines {
		if width > 0 && Width(l) > width {
			lines[i] = breakWord(l, width)
		}
	}
	return strings.Join(lines, "\n")
}

// breakWord breaks a line that is too wide behind the last separator that fits, else behind the last character.
func breakWord(line string, width int) string {
	var out strings.Builder
	rest := line
	for Width(rest) > width {
		end, separated, at := 0, 0, 0
		for g := measure.StringGraphemes(rest); g.Next(); {
			if at += g.Width(); at > width && end > 0 {
				break
			}
			end += len(g.Value())
			if strings.ContainsAny(g.Value(), "/:@.,=_- ") {
				separated = end
			}
		}
		if separated > 0 {
			end = separated
		}
		if end == len(rest) {
			break // one character, of more columns than there are
		}
		out.WriteString(strings.TrimRight(rest[:end], " ") + "\n")
		rest = rest[end:]
	}
	return out.String() + rest
}

// Shorten cuts s to at most most columns, between two words where that leaves at least half; it ends with an
// ellipsis when anything is missing. However little room its characters take, the result is not longer than four
// bytes for each column, and the ellipsis.
func Shorten(s string, most int) string {
	most = max(most, 0)
	cut := s
	if len(cut) > 4*most {
		cut = strings.ToValidUTF8(cut[:4*most], "")
	}
	switch {
	case most == 0:
		return ""
	case len(cut) == len(s) && Width(s) <= most:
		return s
	}
	cut = measure.TruncateString(cut, most-1, "")
	if end := strings.LastIndexByte(cut, ' '); end >= len(cut)/2 && !strings.HasPrefix(s[len(cut):], " ") {
		cut = cut[:end+1]
	}
	return cut + "…"
}

// Cut returns the columns of s from from up to to, with an ellipsis in place of what is missing on either side.
func Cut(s string, from, to int) string {
	begin, end := "", ""
	if from > 0 {
		begin, from = "…", from+1
	}
	if to < Width(s) {
		end, to = "…", to-1
	}
	var kept strings.Builder
	at := 0
	for g := measure.StringGraphemes(s); g.Next(); {
		if at += g.Width(); at > from && at <= to {
			kept.WriteString(g.Value())
		}
	}
	return begin + kept.String() + end
}
