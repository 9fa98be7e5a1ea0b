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

	"github.com/labctl/labctl/internal/fault"
)

// Create makes obj with our marks, in the namespace default unless obj says another. An object of that name which carries the marks already is
// returned as it is, with created false; one that lacks them is refused (fault.Refused) and left
// alone. The server decides between the two, so there is no moment in which another's object
// could be overwritten.
func (c *Client) Create(ctx context.Context, obj *unstructured.Unstructured, m Marks) (live *unstructured.Unstructured, created bool, err error) {
	obj = marked(obj, m)
	ref := Ref(obj.GetKind(), obj.GetName())
	ri, err := c.resource(ctx, QualifiedKind(obj), obj.GetNamespace())
	if err != nil {
		return nil, false, fmt.Errorf("creating %s: %w", ref, err)
	}
	rctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	live, err = ri.Create(rctx, obj, metav1.CreateOptions{FieldManager: FieldManager})
	if err == nil {
		return live, true, nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return nil, false, fmt.Errorf("creating %s: %w", ref, err)
	}
	live, err = c.ours(ctx, ri, obj, m)
	return live, false, err
}

// Apply makes obj, or changes what is there to it by server-side apply, with our marks added. An
// object of that name which lacks the marks is refused (fault.Refused) and left alone.
func (c *Client) Apply(ctx context.Context, obj *unstructured.Unstructured, m Marks) (*unstructured.Unstructured, error) {
	live, created, err := c.Create(ctx, obj, m)
	if err != nil || created {
		return live, err
	}
	obj = marked(obj, m)
	// The uid makes the server refuse the patch if the object was replaced since it was looked at.
	obj.SetUID(live.GetUID())
	ref := Ref(obj.GetKind(), obj.GetName())
	ri, err := c.resource(ctx, QualifiedKind(obj), obj.GetNamespace())
	if err != nil {
		return nil, fmt.Errorf("applying %s: %w", ref, err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	live, err = ri.Apply(ctx, obj.GetName(), obj, metav1.ApplyOptions{FieldManager: FieldManager, Force: true})
	if err != nil {
		return nil, fmt.Errorf("applying %s: %w", ref, err)
	}
	return live, nil
}

// Merge changes the named object by a JSON merge patch, in which null removes a field, and returns
// it as it is then.
func (c *Client) Merge(ctx context.Context, kind, namespace, name string, patch map[string]any) (*unstructured.Unstructured, error) {
	ri, err := c.resource(ctx, kind, namespace)
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
func (c *Client) ours(ctx context.Context, ri dynamic.ResourceInterface, obj *unstructured.Unstructured, m Marks) (*unstructured.Unstructured, error) {
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
func Foreign(live *unstructured.Unstructured, m Marks) error {
	ref := Ref(live.GetKind(), live.GetName())
	return fault.New(fault.Refused, "%s exists already in namespace %s and is not labctl's (it lacks the label %s=%s)",
		ref, live.GetNamespace(), LabelScenario, m.Scenario).
		WithNext("Delete or rename it (kubectl delete %s -n %s), then try again.", ref, live.GetNamespace())
}

// marked returns a copy of obj with our marks, also on the pods that it will make, so that those
// are found when their owner is gone already.
func marked(obj *unstructured.Unstructured, m Marks) *unstructured.Unstructured {
	obj = obj.DeepCopy()
	if obj.GetNamespace() == "" && obj.GetKind() != "Namespace" {
		obj.SetNamespace("default")
	}
	mark(obj.Object, m)
	for _, path := range [][]string{{"spec", "template"}, {"spec", "jobTemplate"}, {"spec", "jobTemplate", "spec", "template"}} {
		if template, ok, _ := unstructured.NestedMap(obj.Object, path...); ok {
			mark(template, m)
			_ = unstructured.SetNestedMap(obj.Object, template, path...) // the path was just read
		}
	}
	return obj
}

func mark(object map[string]any, m Marks) {
	meta, _ := object["metadata"].(map[string]any)
	if meta == nil {
		meta = map[string]any{}
		object["metadata"] = meta
	}
	have, _ := meta["labels"].(map[string]any)
	if have == nil {
		have = map[string]any{}
		meta["labels"] = have
	}
	for k, v := range m.labels() {
		have[k] = v
	}
}

// QualifiedKind returns an object's kind with its group, "Deployment.apps", as queries spell it.
func QualifiedKind(obj *unstructured.Unstructured) string {
	gvk := obj.GroupVersionKind()
	if gvk.Group == "" {
		return gvk.Kind
	}
	return gvk.Kind + "." + gvk.Group
}
