package kube

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Shared is one look at a cluster that many take part in: each kind is listed once, in all namespaces, and whoever asks
// gets of it what the query asks for. The zero value is ready, for one cluster; it is safe for concurrent use.
type Shared struct {
	mu    sync.Mutex
	lists map[schema.GroupVersionResource]*sharedList
}

type sharedList struct {
	once sync.Once
	objs []*unstructured.Unstructured
	err  error
}

// List is Client.List, but that the objects are those of the first who asked, are shared, and must not be changed. Where
// the kind cannot be listed as a whole, which may be too large, the query is asked by itself.
func (s *Shared) List(ctx context.Context, c *Client, q Query) ([]*unstructured.Unstructured, error) {
	kind, err := c.lookup(ctx, q.Kind)
	if err != nil {
		return c.List(ctx, q) // it says what is wrong
	}
	selector, err := labels.Parse(q.Selector)
	if err != nil {
		return c.List(ctx, q)
	}
	s.mu.Lock()
	if s.lists == nil {
		s.lists = map[schema.GroupVersionResource]*sharedList{}
	}
	list := s.lists[kind.Resource]
	if list == nil {
		list = &sharedList{}
		s.lists[kind.Resource] = list
	}
	s.mu.Unlock()
	list.once.Do(func() { list.objs, list.err = c.List(ctx, Query{Kind: q.Kind}) })
	if list.err != nil {
		if ctx.Err() != nil {
			return nil, list.err
		}
		return c.List(ctx, q)
	}
	var found []*unstructured.Unstructured
	for _, o := range list.objs {
		if (!kind.Namespaced || q.Namespace == "" || o.GetNamespace() == q.Namespace) &&
			(q.Name == "" || o.GetName() == q.Name) && selector.Matches(labels.Set(o.GetLabels())) {
			found = append(found, o)
		}
	}
	return found, nil
}
