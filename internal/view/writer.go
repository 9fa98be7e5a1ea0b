package view

import (
	"io"
	"strings"
)

// NewText returns a writer for text for people that comes without layout: it makes each write harmless to a
// terminal, and wraps it at the width that width returns then, 0 for none. A write should be of whole lines.
func NewText(w io.Writer, width func() int) io.Writer { return textWriter{w, width} }

type textWriter struct {
	w     io.Writer
	width func() int
}

func (t textWriter) Write(p []byte) (int, error) {
	text, end := clean(string(p)), ""
	if strings.HasSuffix(text, "\n") {
		text, end = strings.TrimSuffix(text, "\n"), "\n"
	}
	if _, err := io.WriteString(t.w, wrapAll(text, t.width(), 2)+end); err != nil {
		return 0, err
	}
	return len(p), nil
}
