package scenarios

import (
	"cmp"
	"context"
	"errors"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/kube"
)

// sortForSeeding puts first what others cannot be made without, wherever it stands in the manifests. The
// rest keeps its order: whether a quota or a policy is made before a pod or after it is the author's choice.
func sortForSeeding(objs []*unstructured.Unstructured) {
	slices.SortStableFunc(objs, func(a, b *unstructured.Unstructured) int { return cmp.Compare(rank(a), rank(b)) })
}

func rank(obj *unstructured.Unstructured) int {
	switch kube.Unversioned(kube.QualifiedKind(obj)) {
	case "Namespace":
		return 0
	case crdKind:
		return 1
	case "ServiceAccount", "PriorityClass.scheduling.k8s.io", "RuntimeClass.node.k8s.io": // a pod that names one is refused without it
		return 2
	}
	return 3
}

const crdKind = "CustomResourceDefinition.apiextensions.k8s.io"

// definition returns the seed's own CustomResourceDefinition of an object's kind, or nil.
func (sc *compiled) definition(obj *unstructured.Unstructured) *unstructured.Unstructured {
	gvk := obj.GroupVersionKind()
	for _, o := range sc.objs {
		group, _, _ := unstructured.NestedString(o.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(o.Object, "spec", "names", "kind")
		if kube.Unversioned(kube.QualifiedKind(o)) == crdKind && group == gvk.Group && kind == gvk.Kind {
			return o
		}
	}
	return nil
}

// lacking says, before the first object is made, what the objects need that neither the cluster has nor the
// seed makes: a wait for it would never end. All of it is told together.
func (sc *compiled) lacking(ctx context.Context, c *kube.Client) error {
	var lacks []error
	missing := map[string]bool{}
	for _, o := range sc.objs {
		err := kube.Retry(ctx, kube.Starting, func(ctx context.Context) error { return sc.lacks(ctx, c, o) })
		switch {
		case err == nil, missing[err.Error()]:
			continue
		case clierr.ClassOf(err) != clierr.Refused:
			return err
		}
		missing[err.Error()] = true
		lacks = append(lacks, err)
	}
	return errors.Join(lacks...)
}

func (sc *compiled) lacks(ctx context.Context, c *kube.Client, obj *unstructured.Unstructured) error {
	if sc.definition(obj) == nil {
		namespaced, err := c.Namespaced(ctx, kube.QualifiedKind(obj))
		if isUnknownKind(err) {
			return clierr.New(clierr.Refused, "%s cannot be made: %w", refOf(obj), err).
				WithNext("Correct its apiVersion and kind, or add the CustomResourceDefinition to the manifests.")
		}
		if err != nil || !namespaced {
			return err
		}
	}
	ns := cmp.Or(obj.GetNamespace(), "default")
	if !slices.Contains(kube.OwnNamespaces, ns) {
		if err := sc.wants(ctx, c, obj, kube.Query{Kind: "Namespace", Name: ns}); err != nil {
			return err
		}
	}
	account, _, _ := unstructured.NestedString(obj.Object, "spec", "serviceAccountName")
	if obj.GetKind() == "Pod" && account != "" && account != "default" {
		return sc.wants(ctx, c, obj, kube.Query{Kind: "ServiceAccount", Namespace: ns, Name: account})
	}
	return nil
}

// wants refuses obj when the object that q names is neither there nor made by the seed.
func (sc *compiled) wants(ctx context.Context, c *kube.Client, obj *unstructured.Unstructured, q kube.Query) error {
	if slices.ContainsFunc(sc.objs, func(o *unstructured.Unstructured) bool { return key(o) == keyOf(q.Kind, q.Namespace, q.Name) }) {
		return nil
	}
	_, err := c.Get(ctx, q.Kind, q.Namespace, q.Name)
	if !apierrors.IsNotFound(err) {
		return err
	}
	return clierr.New(clierr.Refused, "%s cannot be made: there is no %s", refOf(obj), q).WithNext("Add it to the manifests.")
}
