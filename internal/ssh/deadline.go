package ssh

import (
	"sync"
	"time"
)

// deadline is a point in time that can be moved while others wait for it. The zero value never comes.
type deadline struct {
	mu     sync.Mutex
	timer  *time.Timer
	passed chan struct{} // closed when it has passed; replaced when it is moved after that
}

// set moves the deadline; the zero time takes it away.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.renew()
	if t.IsZero() {
		return
	}
	passed := d.passed
	left := time.Until(t)
	if left <= 0 {
		close(passed)
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(left, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		// Not if it was moved after it fired.
		if d.timer == timer {
			close(passed)
		}
	})
	d.timer = timer
}

// channel returns what is closed when the deadline passes, now or after it was moved.
func (d *deadline) channel() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.passed == nil {
		d.passed = make(chan struct{})
	}
	return d.passed
}

// renew makes a closed channel an open one. Those who wait on an open one keep it: it is the one that
// the moved deadline closes. d.mu is held.
func (d *deadline) renew() {
	if d.passed == nil {
		d.passed = make(chan struct{})
		return
	}
	select {
	case <-d.passed:
		d.passed = make(chan struct{})
	default:
	}
}
