package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

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
		d := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(m.Bytes), 4096)
		for {
			obj := &unstructured.Unstructured{}
			err := d.Decode(&obj.Object)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("rendering %s of %s: %w", m.Path, s.Name, err)
			}
			if len(obj.Object) > 0 {
				objs = append(objs, obj)
			}
		}
	}
	return objs, nil
}

// key names a seeded object as expressions do: seed["Pod/imagepull"].
func key(obj *unstructured.Unstructured) string { return obj.GetKind() + "/" + obj.GetName() }
