// Package terminal is what labctl's outputs are connected to: whether that is a terminal, how wide it is, and what
// becomes of a write that fails.
package terminal

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/term"
)

// Stream is one of labctl's outputs. A reader that has gone away (`labctl down | head -1`) has had what it
// wanted: nothing more is written, and the work goes on and ends as it would have. Anything else that keeps a
// result from being written, such as a full disk, is kept, for it makes the command fail.
type Stream struct {
	To io.Writer

	mu   sync.Mutex
	gone bool
	err  error
}

func (s *Stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return len(p), nil
	}
	n, err := s.To.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		s.gone = true
		return len(p), nil
	}
	if err != nil {
		s.err = err
	}
	return n, err
}

// Failure is what has kept the result from being written whole.
func (s *Stream) Failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// OutliveReaders has a write to a closed pipe fail, where it would end the process: Go does that for file
// descriptors 1 and 2. The signal is caught and not ignored, since a child would inherit that.
func OutliveReaders() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// Is reports whether a file is a terminal; nil is none.
func Is(f *os.File) bool { return f != nil && term.IsTerminal(int(f.Fd())) }

// defaultColumns is the width of a terminal that does not say.
const defaultColumns = 80

// Columns is the width of a terminal; 0 for what is none, where nothing is wrapped.
func Columns(f *os.File) int {
	if !Is(f) {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil || columns <= 0 {
		return defaultColumns
	}
	return columns
}
