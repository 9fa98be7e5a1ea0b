package ssh

import (
	"io"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
)

// tail keeps the last few kilobytes of what a command says. It is safe for concurrent use: a command that
// is not waited for any longer may still speak.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(b []byte) (int, error) {
	const most = 4096
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if over := len(t.buf) - most; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(harmless(string(t.buf)))
}

// harmless takes out of what a host says all that would move a cursor, change colours or the direction of
// writing; lines and tabs stay.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
}

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
