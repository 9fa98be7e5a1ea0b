package labfile

import (
	"bytes"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/labctl/labctl/internal/text"
	"github.com/labctl/labctl/internal/untrusted"
)

// snippet is the line that a problem lies on. It travels in hcl.Diagnostic.Extra, so that a
// diagnostic can be shown without the file that it came from.
type snippet struct {
	line string // printable, tabs as one space each, cut to a window around the mark
	mark int    // where the marked part begins, in columns of line
	size int    // how many columns are marked, at least 1
}

// snippetWidth bounds how much of a very long line is kept.
const snippetWidth = 160

// snippets cuts lines out of one text.
type snippets struct {
	text   []byte
	starts []int // byte offset of each line
}

func newSnippets(text []byte) *snippets {
	s := &snippets{text: text, starts: []int{0}}
	for i, b := range text {
		if b == '\n' {
			s.starts = append(s.starts, i+1)
		}
	}
	return s
}

// at returns the line on which rng starts; nil when rng lies outside of the text.
func (s *snippets) at(rng hcl.Range) *snippet {
	from := rng.Start.Byte
	if from < 0 || from > len(s.text) {
		return nil
	}
	row := sort.SearchInts(s.starts, from+1) - 1
	start, end := s.starts[row], len(s.text)
	if row+1 < len(s.starts) {
		end = s.starts[row+1] - 1
	}
	to := min(max(rng.End.Byte, from), end)
	from = min(from, end)

	before, marked, after := s.text[start:from], s.text[from:to], s.text[to:end]
	// A window: up to two thirds of it before the mark.
	if cut := len(before) - snippetWidth*2/3; cut > 0 {
		before = append([]byte("…"), before[runeStart(before, cut):]...)
	}
	if len(marked) > snippetWidth {
		marked, after = marked[:runeStart(marked, snippetWidth)], nil
	}
	if len(after) > snippetWidth {
		after = append(bytes.Clone(after[:runeStart(after, snippetWidth)]), "…"...)
	}
	lead, middle := printable(before), printable(marked)
	line := strings.TrimRight(lead+middle+printable(after), " ")
	return &snippet{
		line: line,
		mark: text.Width(lead),
		size: max(1, text.Width(strings.TrimRight(middle, " "))),
	}
}

// runeStart returns the first index at or after i at which a character begins.
func runeStart(b []byte, i int) int {
	for i < len(b) && !utf8.RuneStart(b[i]) {
		i++
	}
	return i
}

// printable shows what a terminal would act upon: a lab file is other people's text.
func printable(b []byte) string {
	return untrusted.Exact(strings.ReplaceAll(strings.TrimSuffix(string(b), "\r"), "\t", " "))
}
