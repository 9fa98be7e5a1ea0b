package kube

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
)

// How long a watch waits before it turns to a server again that did not answer: short, because a
// cluster that is starting is the usual reason, and growing, because a dead one is the other.
const (
	firstPause = 50 * time.Millisecond
	maxPause   = time.Second
)

// Update is what a watch delivers: all objects that now match, or why that cannot be said.
type Update struct {
	// Objects are sorted by namespace and name. They are shared and must not be changed.
	Objects []*unstructured.Unstructured
	// Err is set while the server does not answer or refuses; Objects are then the last ones seen.
	Err error
	// Synced is true once a list has come through.
	Synced bool
}

// Watch delivers the objects that match q now, and all of them again whenever one changes, until
// ctx ends; it returns ctx's error then. It is one list and one watch: an expired or closed watch
// is begun again. Whatever the server answers, it goes on, since a server that is starting refuses
// first (unknown user, forbidden, not ready) and serves later. A kind that the server does not know counts
// as one without objects, with Err set to a *KindError, and is asked for again, since it may be defined
// later; only an ambiguous one ends it. deliver is called by one goroutine.
func (c *Client) Watch(ctx context.Context, q Query, deliver func(Update)) error {
	var last Update
	pause, idle := firstPause, firstPause
	for {
		began := time.Now()
		err := c.watchOnce(ctx, q, func(u Update) {
			pause = firstPause
			last = u
			deliver(u)
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var unknown *KindError
		if errors.As(err, &unknown) {
			err = fmt.Errorf("watching %s: %w", q, err)
			if len(unknown.Among) > 0 {
				return err
			}
			if last.Err == nil || last.Err.Error() != err.Error() {
				last = Update{Err: err, Synced: true}
				deliver(last)
			}
			if !pauses(ctx, maxPause) {
				return ctx.Err()
			}
			continue
		}
		if err == nil || apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
			// Closed or too old: list again, at once unless the server does this to every watch.
			if time.Since(began) >= maxPause {
				idle = firstPause
				continue
			}
			if !pauses(ctx, idle) {
				return ctx.Err()
			}
			idle = min(2*idle, maxPause)
			continue
		}
		last.Err = fmt.Errorf("watching %s: %w", q, err)
		deliver(last)
		if !pauses(ctx, pause) {
			return ctx.Err()
		}
		pause = min(2*pause, maxPause)
	}
}

// pauses returns true after this time, and false at once when ctx ends.
func pauses(ctx context.Context, pause time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}

// watchOnce lists and then watches until the watch ends. Nil means that the server closed it.
func (c *Client) watchOnce(ctx context.Context, q Query, deliver func(Update)) error {
	l, ri, err := c.list(ctx, q)
	if err != nil {
		return err
	}
	set := map[types.UID]*unstructured.Unstructured{}
	for _, obj := range pointers(l) {
		set[obj.GetUID()] = obj
	}
	deliver(Update{Objects: sorted(set), Synced: true})
	return follow(ctx, ri, q, l.GetResourceVersion(), set, deliver)
}

func follow(ctx context.Context, ri dynamic.ResourceInterface, q Query, version string, set map[types.UID]*unstructured.Unstructured, deliver func(Update)) error {
	opts := q.listOptions()
	opts.ResourceVersion = version
	w, err := ri.Watch(ctx, opts)
	if err != nil {
		return err
	}
	defer w.Stop()
	for e := range w.ResultChan() {
		switch e.Type {
		case watch.Error:
			return apierrors.FromObject(e.Object)
		case watch.Added, watch.Modified, watch.Deleted:
			obj, ok := e.Object.(*unstructured.Unstructured)
			if !ok {
				continue
			}
			if e.Type == watch.Deleted {
				delete(set, obj.GetUID())
			} else {
				set[obj.GetUID()] = obj
			}
			deliver(Update{Objects: sorted(set), Synced: true})
		}
	}
	return nil
}

func sorted(set map[types.UID]*unstructured.Unstructured) []*unstructured.Unstructured {
	objs := make([]*unstructured.Unstructured, 0, len(set))
	for _, o := range set {
		objs = append(objs, o)
	}
	slices.SortFunc(objs, func(a, b *unstructured.Unstructured) int {
		return strings.Compare(a.GetNamespace()+"/"+a.GetName(), b.GetNamespace()+"/"+b.GetName())
	})
	return objs
}

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
