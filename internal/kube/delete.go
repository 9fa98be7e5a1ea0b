package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/labctl/labctl/internal/clierr"
)

// deleteGrace is how many seconds a pod's processes get to end. The usual 30 would only be waited
// out: many exercises run a shell as process 1, which ignores SIGTERM.
const deleteGrace = 1

// Delete removes this very object, by its UID, and does not wait. An object that is gone, or was
// replaced by another of its name, is no error.
func (c *Client) Delete(ctx context.Context, obj *unstructured.Unstructured) error {
	uid := obj.GetUID()
	return c.remove(ctx, obj, metav1.Preconditions{UID: &uid})
}

// DeleteUnchanged is Delete, but leaves the object alone if it has changed since obj was read.
func (c *Client) DeleteUnchanged(ctx context.Context, obj *unstructured.Unstructured) error {
	uid, version := obj.GetUID(), obj.GetResourceVersion()
	return c.remove(ctx, obj, metav1.Preconditions{UID: &uid, ResourceVersion: &version})
}

func (c *Client) remove(ctx context.Context, obj *unstructured.Unstructured, only metav1.Preconditions) error {
	ref := Ref(obj.GetKind(), obj.GetName())
	ri, _, err := c.resource(ctx, QualifiedKind(obj), obj.GetNamespace())
	if err != nil {
		return fmt.Errorf("deleting %s: %w", ref, err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	grace, policy := int64(deleteGrace), metav1.DeletePropagationBackground
	err = ri.Delete(ctx, obj.GetName(), metav1.DeleteOptions{
		GracePeriodSeconds: &grace,
		PropagationPolicy:  &policy,
		Preconditions:      &only,
	})
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return fmt.Errorf("deleting %s: %w", ref, err)
}

// DeleteAll removes all objects that the queries find and mine accepts, and returns when it has
// seen by watch that none is left; when ctx ends, a clierr.Leftover that names what is left. What a controller
// among them has made is removed after it: it would be made again, and that might show too late.
func (c *Client) DeleteAll(ctx context.Context, queries []Query, mine func(*unstructured.Unstructured) bool) error {
	asked := map[string]bool{}
	var left []string
	var failed error
	err := c.Until(ctx, queries, func(s Snapshot) Decision {
		left, failed = nil, nil
		making := map[types.UID]bool{}
		for _, q := range queries {
			if u := s[q]; !u.Synced && u.Err == nil {
				return Decision{} // who makes what is known when all have been seen
			}
			for _, o := range s[q].Objects {
				if o.GetDeletionTimestamp() == nil && mine(o) {
					making[o.GetUID()] = true
				}
			}
		}
		for _, q := range queries {
			var unknown *KindError
			if err := s[q].Err; err != nil && !errors.As(err, &unknown) {
				failed = err
			}
			for _, o := range s[q].Objects {
				if !mine(o) {
					continue
				}
				left = append(left, Ref(o.GetKind(), o.GetName()))
				owner := metav1.GetControllerOfNoCopy(o)
				if asked[string(o.GetUID())] || owner != nil && making[owner.UID] {
					continue
				}
				if derr := c.Delete(ctx, o); derr != nil {
					failed = derr
					continue
				}
				asked[string(o.GetUID())] = true
			}
		}
		d := Decision{Done: failed == nil && s.Synced() && len(left) == 0}
		if failed != nil {
			d.Wake = firstPause
		}
		return d
	})
	if err == nil {
		return nil
	}
	if failed != nil {
		return clierr.New(clierr.Inconclusive, "deleting %s: %w", strings.Join(left, ", "), failed)
	}
	return clierr.New(clierr.Leftover, "deleting %s: still there: %w", strings.Join(left, ", "), err)
}
