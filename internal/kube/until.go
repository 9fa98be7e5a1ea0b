package kube

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"
)

// Snapshot is what the watches of one Until have seen last.
type Snapshot map[Query]Update

// Synced reports whether every query has had a first answer.
func (s Snapshot) Synced() bool {
	for _, u := range s {
		if !u.Synced {
			return false
		}
	}
	return true
}

// Err returns the first trouble that a query of s has with the server now, else nil.
func (s Snapshot) Err() error {
	for _, u := range s {
		if u.Err != nil {
			return u.Err
		}
	}
	return nil
}

// Decision is what Until's caller makes of a Snapshot.
type Decision struct {
	Done bool
	// Wake asks to be called again after this time even if nothing changes; 0: only on changes.
	Wake time.Duration
}

// Until watches all queries at once and calls decide whenever something changed, with the newest
// Snapshot; changes that come while decide runs are seen together. It returns nil when decide is
// done, and ctx's error when ctx ends first: the caller says what it last saw. A kind that the
// server does not know counts as one without objects, with Err set to a *KindError, until it does.
// decide is called by one goroutine.
func (c *Client) Until(ctx context.Context, queries []Query, decide func(Snapshot) Decision) error {
	parent := ctx
	ctx, cancel := context.WithCancel(ctx)
	var watches sync.WaitGroup
	defer watches.Wait()
	defer cancel()

	var mu sync.Mutex
	seen := Snapshot{}
	changed := make(chan struct{}, 1)
	put := func(q Query, u Update) {
		mu.Lock()
		seen[q] = u
		mu.Unlock()
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	for _, q := range queries {
		seen[q] = Update{}
	}
	for q := range maps.Clone(seen) {
		watches.Go(func() {
			err := c.Watch(ctx, q, func(u Update) { put(q, u) })
			var unknown *KindError
			if errors.As(err, &unknown) {
				put(q, Update{Err: err, Synced: true})
			}
		})
	}
	for {
		wake := (<-chan time.Time)(nil)
		mu.Lock()
		now := maps.Clone(seen)
		mu.Unlock()
		d := decide(now)
		if d.Done {
			return nil
		}
		if d.Wake > 0 {
			wake = time.After(d.Wake)
		}
		select {
		case <-parent.Done():
			return parent.Err()
		case <-changed:
		case <-wake:
		}
	}
}
