package kube

import (
	"io"
	"net/http"

	"github.com/labctl/labctl/internal/untrusted"
)

// What of an answer may be kept that is not a whole list. Several are read at once.
const (
	// mostRefusal is for the reason that a server gives. What is longer is cut.
	mostRefusal = 64 << 10
	// mostEvent is for one object; etcd takes none above 1.5 MiB.
	mostEvent = 4 << 20
)

// limited bounds what an API server can have labctl keep: client-go reads every answer whole, and every
// event of a watch.
type limited struct{ next http.RoundTripper }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err != nil || resp.Body == nil || resp.Body == http.NoBody || resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, err
	}
	what := "the API server's answer to " + r.Method + " " + r.URL.Path
	body := limitedBody{Closer: resp.Body}
	switch {
	case resp.StatusCode >= http.StatusBadRequest:
		body.Reader = io.LimitReader(resp.Body, mostRefusal)
	case r.URL.Query().Get("watch") == "true":
		body.Reader = &eventReader{from: resp.Body, limit: mostEvent, what: "an event in " + what}
	default:
		body.Reader = untrusted.Reader(resp.Body, untrusted.MostBody, what)
	}
	resp.Body = body
	return resp, nil
}

type limitedBody struct {
	io.Reader
	io.Closer
}

// eventReader reads JSON values that follow one another, each of at most limit bytes.
type eventReader struct {
	from  io.Reader
	limit int64
	what  string

	depth            int
	inText, escaping bool
	size             int64 // of the value so far
	failed           error
}

func (e *eventReader) Read(p []byte) (int, error) {
	if e.failed != nil {
		return 0, e.failed
	}
	n, err := e.from.Read(p)
	for i, c := range p[:n] {
		if e.size++; e.size > e.limit {
			e.failed = untrusted.TooLong(e.what, e.limit)
			return i, e.failed
		}
		if e.take(c) {
			e.size = 0
		}
	}
	return n, err
}

// take follows the nesting and tells whether a value ends with c. What is no JSON ends nowhere.
func (e *eventReader) take(c byte) (ends bool) {
	switch {
	case e.escaping:
		e.escaping = false
	case e.inText && c == '\\':
		e.escaping = true
	case c == '"':
		e.inText = !e.inText
	case e.inText:
	case c == '{', c == '[':
		e.depth++
	case c == '}', c == ']':
		e.depth--
		return e.depth == 0
	}
	return false
}
