package event

import (
	"slices"
	"sync"
)

// Recorder keeps the events that it takes, for tests. The zero value is ready for use.
type Recorder struct {
	mu     sync.Mutex
	events []Event
}

// Emit keeps e.
func (r *Recorder) Emit(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// Events returns what was taken so far, oldest first.
func (r *Recorder) Events() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// Of returns those of the recorder's events that are of one type, oldest first.
func Of[E Event](r *Recorder) []E {
	var found []E
	for _, e := range r.Events() {
		if e, ok := e.(E); ok {
			found = append(found, e)
		}
	}
	return found
}
