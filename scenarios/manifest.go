package scenarios

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

// render returns the objects that a scenario seeds, in their order.
func render(s *labfile.Scenario) ([]*unstructured.Unstructured, error) {
	manifests, diags := labfile.Render(s.Definition, s.Input)
	if diags.HasErrors() {
		return nil, fmt.Errorf("rendering the manifests of %s: %w", s.Name, diags)
	}
	var objs []*unstructured.Unstructured
	for _, m := range manifests {
		for _, object := range m.Objects {
			objs = append(objs, &unstructured.Unstructured{Object: object})
		}
	}
	return objs, nil
}

// key identifies an object among a scenario's, whatever the version in which it is spoken of:
// "Deployment.apps/default/web".
func key(obj *unstructured.Unstructured) string {
	return keyOf(kube.QualifiedKind(obj), obj.GetNamespace(), obj.GetName())
}

// keyOf is key. Kinds without namespaces are not told apart here: manifests do not say which those are.
func keyOf(kind, namespace, name string) string {
	return kube.Unversioned(kind) + "/" + cmp.Or(namespace, "default") + "/" + name
}

// callNames are the names by which expressions may call seeded objects: seed["Pod/web"] or, where that fits
// more than one, seed["Pod/shop/web"]; with the kind's group where kinds share a name. A name that fits
// several objects is none's.
func callNames(objs []*unstructured.Unstructured) map[string]*unstructured.Unstructured {
	fits := map[string][]*unstructured.Unstructured{}
	for _, o := range objs {
		for _, kind := range slices.Compact([]string{o.GetKind(), kube.Unversioned(kube.QualifiedKind(o))}) {
			for _, name := range []string{o.GetName(), cmp.Or(o.GetNamespace(), "default") + "/" + o.GetName()} {
				fits[kind+"/"+name] = append(fits[kind+"/"+name], o)
			}
		}
	}
	names := map[string]*unstructured.Unstructured{}
	for name, of := range fits {
		if len(of) == 1 {
			names[name] = of[0]
		}
	}
	return names
}
