package kube

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/labctl/labctl/internal/clierr"
)

// Create makes obj with our marks, in the version that it names, and in the namespace default unless it
// says another. An object of that name which carries the marks already is returned as it is, with created
// false; one that lacks them is refused (clierr.Refused) and left alone. The server decides between the two,
// so there is no moment in which another's object could be overwritten.
func (c *Client) Create(ctx context.Context, obj *unstructured.Unstructured, m Ownership) (live *unstructured.Unstructured, created bool, err error) {
	ref := Ref(obj.GetKind(), obj.GetName())
	obj, ri, kind, err := c.prepare(ctx, obj, m)
	if err != nil {
		return nil, false, fmt.Errorf("creating %s: %w", ref, err)
	}
	rctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	live, err = ri.Create(rctx, obj, metav1.CreateOptions{FieldManager: FieldManager})
	switch {
	case err == nil:
		return live, true, nil
	case apierrors.IsAlreadyExists(err):
		live, err = c.ours(ctx, ri, obj, m)
		return live, false, err
	case apierrors.IsNotFound(err) && MissingNamespace(err) == "":
		c.kinds.forget(kind.Resource)
		err = &KindError{Kind: QualifiedKind(obj)}
	case Denied(err):
		return nil, false, clierr.New(clierr.Failed, "the cluster does not let %s in: %w", ref, err).
			WithNext("Change what it asks for, or what stands against it in the cluster, then try again.")
	}
	return nil, false, fmt.Errorf("creating %s: %w", ref, err)
}

// prepare returns a copy of obj as it is sent, and where to.
func (c *Client) prepare(ctx context.Context, obj *unstructured.Unstructured, m Ownership) (*unstructured.Unstructured, dynamic.ResourceInterface, Kind, error) {
	obj = marked(obj, m)
	if obj.GetNamespace() == "" {
		obj.SetNamespace(metav1.NamespaceDefault)
	}
	ri, kind, err := c.resource(ctx, QualifiedKind(obj), obj.GetNamespace())
	if err == nil && !kind.Namespaced {
		obj.SetNamespace("")
	}
	return obj, ri, kind, err
}

// Replace puts obj, with our marks, in the place of the object of its name, which has to carry them. What the cluster has
// filled in where obj says nothing is gone then, as with kubectl replace.
func (c *Client) Replace(ctx context.Context, obj *unstructured.Unstructured, m Ownership) (*unstructured.Unstructured, error) {
	ref := Ref(obj.GetKind(), obj.GetName())
	obj, ri, _, err := c.prepare(ctx, obj, m)
	if err != nil {
		return nil, fmt.Errorf("replacing %s: %w", ref, err)
	}
	var live *unstructured.Unstructured
	err = Retry(ctx, func(err error) bool { return Starting(err) || apierrors.IsConflict(err) }, func(ctx context.Context) error {
		was, err := c.ours(ctx, ri, obj, m)
		if err != nil {
			return err
		}
		obj.SetResourceVersion(was.GetResourceVersion())
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		live, err = ri.Update(ctx, obj, metav1.UpdateOptions{FieldManager: FieldManager})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("replacing %s: %w", ref, err)
	}
	return live, nil
}

// Merge changes the named object by a JSON merge patch, in which null removes a field, and returns
// it as it is then.
func (c *Client) Merge(ctx context.Context, kind, namespace, name string, patch map[string]any) (*unstructured.Unstructured, error) {
	ri, _, err := c.resource(ctx, kind, namespace)
	if err != nil {
		return nil, fmt.Errorf("changing %s: %w", Ref(kind, name), err)
	}
	body, err := json.Marshal(patch)
	if err != nil {
		return nil, fmt.Errorf("changing %s: %w", Ref(kind, name), err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	live, err := ri.Patch(ctx, name, types.MergePatchType, body, metav1.PatchOptions{FieldManager: FieldManager})
	if err != nil {
		return nil, fmt.Errorf("changing %s: %w", Ref(kind, name), err)
	}
	return live, nil
}

// ours returns the live object of obj's name if it carries the marks, else a refusal.
func (c *Client) ours(ctx context.Context, ri dynamic.ResourceInterface, obj *unstructured.Unstructured, m Ownership) (*unstructured.Unstructured, error) {
	ref := Ref(obj.GetKind(), obj.GetName())
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	live, err := ri.Get(ctx, obj.GetName(), metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", ref, err)
	}
	if !m.On(live.GetLabels()) {
		return nil, Foreign(live, m)
	}
	return live, nil
}

// Foreign is the refusal to touch an object that stands where one of ours should.
func Foreign(live *unstructured.Unstructured, m Ownership) error {
	ref, where, flag := Ref(live.GetKind(), live.GetName()), "", ""
	if ns := live.GetNamespace(); ns != "" {
		where, flag = " in namespace "+ns, " -n "+ns
	}
	return clierr.New(clierr.Refused, "%s exists already%s and is not labctl's (it lacks the label %s=%s)", ref, where, LabelScenario, m.Scenario).
		WithNext("Delete or rename it (kubectl delete %s%s), then try again.", ref, flag)
}
