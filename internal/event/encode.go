package event

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/labctl/labctl/internal/untrusted"
)

// Version is the version of the JSON form, its field "v". It rises only when a field is renamed,
// removed or changes its meaning.
const Version = 1

// NewNDJSON returns a sink that writes each event to w as one line of JSON (docs/events.md), in one
// Write, with the time of now in UTC. After the first write that fails it writes nothing more: a
// reader that has gone away must not stop the work.
func NewNDJSON(w io.Writer, now func() time.Time) Sink {
	return &ndjson{w: w, now: now}
}

type ndjson struct {
	mu     sync.Mutex
	w      io.Writer
	now    func() time.Time
	broken bool
}

func (s *ndjson) Emit(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return
	}
	line, err := encode(e, s.now())
	if err == nil {
		_, err = s.w.Write(line)
	}
	s.broken = err != nil
}

// encode returns the event's line. What all events have comes first, then the fields of its type.
func encode(e Event, at time.Time) ([]byte, error) {
	var fields bytes.Buffer
	enc := json.NewEncoder(&fields)
	enc.SetEscapeHTML(false) // people read these lines too
	if err := enc.Encode(e); err != nil {
		return nil, err
	}
	line := []byte(`{"v":` + strconv.Itoa(Version) + `,"time":"`)
	line = at.UTC().AppendFormat(line, time.RFC3339Nano)
	line = append(line, `","type":"`+e.kind()+`"`...)
	if rest := fields.Bytes()[1:]; rest[0] != '}' {
		line = append(append(line, ','), rest...)
	} else {
		line = append(line, rest...)
	}
	return untrusted.JSON(line), nil
}
