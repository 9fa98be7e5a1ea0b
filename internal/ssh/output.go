package ssh

import (
	"io"
	"reflect"
	"sync"
	"sync/atomic"
)

// tailSize is how much of the end of what a command says about its failure is kept.
const tailSize = 4096

// output is a writer of the caller's, nil to discard. It takes one Write at a time, because stdout and
// stderr may share it (os/exec gives the same guarantee), and none once it is shut.
type output struct {
	mu   sync.Mutex
	to   io.Writer
	shut atomic.Bool
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.to == nil || o.shut.Load() {
		return len(b), nil
	}
	return o.to.Write(b)
}

// busy says whether a Write has not returned.
func (o *output) busy() bool {
	if !o.mu.TryLock() {
		return true
	}
	o.mu.Unlock()
	return false
}

func sameWriter(a, b io.Writer) bool {
	return a != nil && b != nil && reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.TypeOf(a).Comparable() && a == b
}
