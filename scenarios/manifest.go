package scenarios

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

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

// key names a seeded object as expressions do: seed["Pod/imagepull"].
func key(obj *unstructured.Unstructured) string { return obj.GetKind() + "/" + obj.GetName() }
