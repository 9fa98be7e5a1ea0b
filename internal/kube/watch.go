package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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
// first (unknown user, forbidden, not ready) and serves later; only a kind that the server does
// not know ends it (*KindError). deliver is called by one goroutine.
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
			return fmt.Errorf("watching %s: %w", q, err)
		}
		if err == nil || apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
			// Closed or too old: list again, at once unless the server does this to every watch.
			if time.Since(began) >= maxPause {
				idle = firstPause
				continue
			}
			if !wait(ctx, idle) {
				return ctx.Err()
			}
			idle = min(2*idle, maxPause)
			continue
		}
		last.Err = fmt.Errorf("watching %s: %w", q, err)
		deliver(last)
		if !wait(ctx, pause) {
			return ctx.Err()
		}
		pause = min(2*pause, maxPause)
	}
}

// wait waits, and reports whether ctx has outlasted that.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// watchOnce lists and then watches until the watch ends. Nil means that the server closed it.
func (c *Client) watchOnce(ctx context.Context, q Query, deliver func(Update)) error {
	ri, err := c.resource(ctx, q.Kind, q.Namespace)
	if err != nil {
		return err
	}
	l, err := list(ctx, ri, q)
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
