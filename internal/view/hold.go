package view

import (
	"fmt"
	"io"
	"strings"
)

// held asks the drawing goroutine to draw nothing from ready on until done.
type held struct{ ready, done chan struct{} }

// Hold takes the rows off the screen and draws nothing until release is called: the cursor stands on an
// empty line, and a question can be asked there. What happens meanwhile is shown after it.
func (t *tty) Hold() (release func()) {
	h := held{make(chan struct{}), make(chan struct{})}
	select {
	case t.holds <- h:
		<-h.ready
	case <-t.stopped:
	}
	return func() { close(h.done) }
}

// pause is Hold's part in the drawing goroutine.
func (t *tty) pause(h held) {
	above, _ := t.frame(false)
	var out strings.Builder
	if t.drawn > 0 {
		fmt.Fprintf(&out, "\x1b[%dA\r%s", t.drawn, clearBelow)
	}
	for _, line := range above {
		out.WriteString(line + newLine)
	}
	if t.frames > 0 {
		out.WriteString(showCursor)
	}
	t.drawn, t.frames = 0, 0
	if out.Len() > 0 && !t.broken {
		_, err := io.WriteString(t.w, out.String())
		t.broken = err != nil
	}
	close(h.ready)
	select {
	case <-h.done:
	case <-t.stop:
	}
}

// Hold writes nothing until release is called.
func (p *plain) Hold() (release func()) {
	p.mu.Lock()
	return p.mu.Unlock
}

// Hold does nothing: a program that reads the lines is not asked anything.
func (lines) Hold() (release func()) { return func() {} }
