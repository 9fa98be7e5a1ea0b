package kube

import (
	"net/http"
	"sync"
	"time"
)

// serverClock estimates by how much the API server's clock is ahead of ours. Each answer bounds it:
// its Date header was written after the request was sent and before the answer arrived, and is cut
// to whole seconds. Intersecting the bounds of several answers narrows it.
type serverClock struct {
	now func() time.Time

	mu     sync.Mutex
	known  bool
	lo, hi time.Duration // lo <= server - local < hi
}

// saw takes one answer's Date, and the local times around the request.
func (s *serverClock) saw(date, sent, received time.Time) {
	lo, hi := date.Sub(received), date.Add(time.Second).Sub(sent)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known && lo < s.hi && s.lo < hi {
		lo, hi = max(lo, s.lo), min(hi, s.hi)
	} // else the first answer, or a clock was set: start afresh
	s.known, s.lo, s.hi = true, lo, hi
}

// Now returns the earliest time that the server's clock can show.
func (s *serverClock) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now().Round(0).Add(s.lo)
}

// observer is the transport through which all requests go.
type observer struct {
	next  http.RoundTripper
	clock *serverClock
	hook  func(*http.Request)
}

func (o *observer) RoundTrip(req *http.Request) (*http.Response, error) {
	if o.hook != nil {
		o.hook(req)
	}
	sent := o.clock.now().Round(0)
	resp, err := o.next.RoundTrip(req)
	if err != nil {
		return resp, err
	}
	if date, perr := http.ParseTime(resp.Header.Get("Date")); perr == nil {
		o.clock.saw(date, sent, o.clock.now().Round(0))
	}
	return resp, nil
}
