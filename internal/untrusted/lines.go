package untrusted

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// Lines returns a writer that calls line with each whole line of what is written, without its end and as it
// came. Of a line longer than limit bytes only so many are kept and given. It may be written to from
// several goroutines, as a command does that has it for both of its outputs; line is called by one at a time.
func Lines(limit int, line func(string)) io.Writer { return &lines{limit: limit, line: line} }

type lines struct {
	mu    sync.Mutex
	begun []byte // of the line that has no end yet
	limit int
	line  func(string)
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for rest := p; len(rest) > 0; {
		part, after, ended := bytes.Cut(rest, []byte("\n"))
		l.begun = append(l.begun, part[:min(len(part), l.limit-len(l.begun))]...)
		if ended {
			l.line(strings.TrimSuffix(string(l.begun), "\r"))
			l.begun = l.begun[:0]
		}
		rest = after
	}
	return len(p), nil
}

// Tail keeps the last bytes that were written to it, up to a limit, for the message of an error. It may be
// written to from several goroutines.
type Tail struct {
	mu    sync.Mutex
	kept  []byte
	limit int
}

// NewTail returns a Tail of at most limit bytes.
func NewTail(limit int) *Tail { return &Tail{limit: limit} }

// Write keeps the end of p. It never fails.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	end := p[max(0, len(p)-t.limit):]
	if over := len(t.kept) + len(end) - t.limit; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	t.kept = append(t.kept, end...)
	return len(p), nil
}

// String returns what was kept, without white space around it.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.kept))
}
