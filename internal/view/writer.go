package view

import (
	"io"
	"strings"

	"github.com/labctl/labctl/internal/text"
	"github.com/labctl/labctl/internal/untrusted"
)

// NewText returns a writer for text for people that comes without layout: it makes each write harmless to a
// terminal, and wraps it at the width that width returns then, 0 for none. A write should be of whole lines.
func NewText(w io.Writer, width func() int) io.Writer { return textWriter{w, width} }

type textWriter struct {
	w     io.Writer
	width func() int
}

func (t textWriter) Write(p []byte) (int, error) {
	all := untrusted.Text(string(p))
	said := strings.TrimRight(all, " \n")
	end := all[len(said):] // as it is: behind a question the cursor stands apart from it
	if _, err := io.WriteString(t.w, text.WrapLines(said, t.width(), 2)+end); err != nil {
		return 0, err
	}
	return len(p), nil
}
