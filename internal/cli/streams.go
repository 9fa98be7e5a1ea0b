package cli

import (
	"errors"
	"io"
	"log"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/labctl/labctl/internal/kube"
)

// stream is one of labctl's outputs. A reader that has gone away (`labctl down | head -1`) has had what it
// wanted: nothing more is written, and the work goes on and ends as it would have. Anything else that keeps a
// result from being written, such as a full disk, is kept, for it makes the command fail.
type stream struct {
	to io.Writer

	mu   sync.Mutex
	gone bool
	err  error
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return len(p), nil
	}
	n, err := s.to.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		s.gone = true
		return len(p), nil
	}
	if err != nil {
		s.err = err
	}
	return n, err
}

// failure is what has kept the result from being written whole.
func (s *stream) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// outliveReaders has a write to a closed pipe fail, where it would end the process: Go does that for file
// descriptors 1 and 2. The signal is caught and not ignored, since a child would inherit that.
func outliveReaders() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// silenceLibraries keeps what libraries log by themselves off the terminal. It says nothing that is not
// returned as an error too, it may quote what a server sent, and it would be written into the display.
func silenceLibraries() {
	log.SetOutput(io.Discard) // net/http: what a server sends unasked
	kube.SilenceLogs()
}
