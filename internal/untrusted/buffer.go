package untrusted

import (
	"bytes"
	"fmt"
	"io"

	"github.com/labctl/labctl/internal/clierr"
)

// Limits for what is read whole.
const (
	// MostOutput is for what a command says: the longest that labctl asks for, lists and inspections of
	// all containers of an engine, are some hundred kilobytes.
	MostOutput = 16 << 20
	// MostBody is for one answer of an API server: its own limit on an object is 1.5 MiB, and a lab's
	// longest list, all pods or definitions of kinds, some megabytes. Several are decoded at once, each into
	// ten times its size.
	MostBody = 8 << 20
)

// Buffer keeps what is written to it, up to a limit. It is not safe for concurrent use.
type Buffer struct {
	buf   bytes.Buffer
	limit int
	what  string
}

// NewBuffer returns a buffer for at most limit bytes. what names what is read: "the output of docker ps".
func NewBuffer(limit int, what string) *Buffer { return &Buffer{limit: limit, what: what} }

// Write keeps p, or as much of it as the limit allows and returns an error then, which is to end whatever
// writes.
func (b *Buffer) Write(p []byte) (int, error) {
	room := b.limit - b.buf.Len()
	if len(p) <= room {
		return b.buf.Write(p)
	}
	b.buf.Write(p[:max(room, 0)])
	return max(room, 0), TooLong(b.what, int64(b.limit))
}

// String returns what was kept.
func (b *Buffer) String() string { return b.buf.String() }

// Bytes returns what was kept; it is valid until the next Write.
func (b *Buffer) Bytes() []byte { return b.buf.Bytes() }

// Reader reads from r and gives an error instead of the byte after the first limit ones: io.LimitReader
// would give an end, and what was cut off would be taken for all there is.
func Reader(r io.Reader, limit int64, what string) io.Reader {
	return &reader{r: r, left: limit, limit: limit, what: what}
}

type reader struct {
	r           io.Reader
	left, limit int64
	what        string
}

func (l *reader) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1] // one more than allowed, so that an end just there is one
	}
	n, err := l.r.Read(p)
	if int64(n) > l.left {
		n = int(l.left)
		l.left = 0
		return n, TooLong(l.what, l.limit)
	}
	l.left -= int64(n)
	return n, err
}

// TooLong is the error for what went over a limit.
func TooLong(what string, limit int64) error {
	size := fmt.Sprintf("%d bytes", limit)
	if limit >= 1<<20 {
		size = fmt.Sprintf("%d MiB", limit>>20)
	}
	return clierr.New(clierr.Inconclusive, "%s is longer than %s, and was not read further", what, size)
}

// Writer hands on what is written to it, up to a limit, and returns an error then, which is to end whatever
// writes. It is not safe for concurrent use.
func Writer(w io.Writer, limit int64, what string) io.Writer {
	return &writer{w: w, left: limit, limit: limit, what: what}
}

type writer struct {
	w           io.Writer
	left, limit int64
	what        string
}

func (l *writer) Write(p []byte) (int, error) {
	if int64(len(p)) > l.left {
		return 0, TooLong(l.what, l.limit)
	}
	n, err := l.w.Write(p)
	l.left -= int64(n)
	return n, err
}
