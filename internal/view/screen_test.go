package view

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
)

// screen is a terminal: it does what it is told by the sequences that the view uses, and takes any
// other as an error. What scrolls off its top is kept.
type screen struct {
	mu            sync.Mutex
	width, height int
	lines         [][]string // all lines ever, a character for each column; the last height of them are on the screen
	row, col      int        // row counts from the first of lines
	full          bool       // the last column was written; the next rune wraps
	wraps, cursor bool
	colours       int
	writes        int
	broken        []string // lines that the terminal itself has broken, as they were then
	problems      []string
}

func newScreen(width, height int) *screen {
	return &screen{width: width, height: height, wraps: true, cursor: true, lines: make([][]string, 1)}
}

func (s *screen) size() (int, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.width, s.height
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	for text := string(b); text != ""; {
		r, n := utf8.DecodeRuneInString(text)
		first := displaywidth.StringGraphemes(text)
		first.Next()
		character, columns := first.Value(), first.Width()
		switch {
		case strings.HasPrefix(text, "\x1b["):
			end := strings.IndexFunc(text[2:], func(r rune) bool { return r >= '@' && r <= '~' })
			if end < 0 {
				s.problem("a sequence that does not end: %q", text)
				return len(b), nil
			}
			n = 2 + end + 1
			s.control(text[2:2+end], text[2+end])
		case r == '\r':
			s.col, s.full = 0, false
		case r == '\n':
			s.down()
		case r < ' ':
			s.problem("control character %q", r)
		default:
			n = len(character)
			if columns > 0 {
				s.put(character, columns)
			}
		}
		text = text[n:]
	}
	return len(b), nil
}

func (s *screen) control(args string, final byte) {
	switch {
	case final == 'm':
		s.colours++
	case final == 'A':
		n, err := strconv.Atoi(args)
		top := max(0, len(s.lines)-s.height)
		if err != nil || n < 1 || s.row-n < top {
			s.problem("up %q from row %d of the screen", args, s.row-top)
			n = s.row - top
		}
		s.row, s.full = s.row-n, false
	case final == 'K' && args == "":
		// As xterm does it, the character below the cursor goes, also after the last column was written.
		s.lines[s.row] = s.lines[s.row][:min(s.col, len(s.lines[s.row]))]
	case final == 'J' && args == "":
		s.lines[s.row] = s.lines[s.row][:min(s.col, len(s.lines[s.row]))]
		for i := s.row + 1; i < len(s.lines); i++ {
			s.lines[i] = nil
		}
	case args == "?25":
		s.cursor = final == 'h'
	case args == "?7":
		s.wraps = final == 'h'
	default:
		s.problem("unknown sequence %q%c", args, final)
	}
}

func (s *screen) put(character string, columns int) {
	if s.full || s.col+columns > s.width {
		if !s.wraps {
			s.problem("a row that is wider than %d columns", s.width)
			return
		}
		s.broken = append(s.broken, strings.Join(s.lines[s.row], ""))
		s.col = 0
		s.down()
	}
	line := s.lines[s.row]
	for len(line) < s.col+columns {
		line = append(line, " ")
	}
	line[s.col] = character
	for i := 1; i < columns; i++ {
		line[s.col+i] = ""
	}
	s.lines[s.row] = line
	if s.col += columns; s.col >= s.width {
		s.col, s.full = s.width-1, true
	}
}

func (s *screen) down() {
	s.full = false
	if s.row++; s.row == len(s.lines) {
		s.lines = append(s.lines, nil)
	}
}

func (s *screen) problem(format string, args ...any) {
	s.problems = append(s.problems, fmt.Sprintf(format, args...))
}

// text is everything that can be seen, scrolling back included, without empty lines at the end.
func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for _, l := range s.lines {
		lines = append(lines, strings.TrimRight(strings.Join(l, ""), " "))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}
