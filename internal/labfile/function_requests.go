package labfile

import (
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"k8s.io/apimachinery/pkg/api/resource"
)

// requestsFunc is requests(pod, resource): what the scheduler counts a pod, or a pod of a template, as: for "cpu" in
// cores, else in bytes or pieces.
func requestsFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "pod", Type: cty.DynamicPseudoType}, {Name: "resource", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			spec := field(args[0], "spec")
			if len(elements(field(spec, "containers"))) == 0 {
				return cty.NilVal, function.NewArgErrorf(0, "it has no spec.containers: ask about a pod, or a template such as self.spec.template")
			}
			sum, err := podRequests(spec, args[1].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.ParseNumberVal(sum.AsDec().String())
		},
	})
}

// podRequests is the sum over a pod's containers and sidecars, or the largest of what it needs while it starts if that is
// more; what the pod asks for as a whole takes the place of both. The overhead of its runtime is added.
func podRequests(spec cty.Value, name string) (sum resource.Quantity, err error) {
	var most resource.Quantity
	for _, c := range elements(field(spec, "initContainers")) {
		n, err := containerRequest(c, name)
		if err != nil {
			return sum, err
		}
		during := sum.DeepCopy()
		during.Add(n)
		if textOf(field(c, "restartPolicy")) == "Always" { // a sidecar stays
			sum = during.DeepCopy()
		}
		if during.Cmp(most) > 0 {
			most = during
		}
	}
	for _, c := range elements(field(spec, "containers")) {
		n, err := containerRequest(c, name)
		if err != nil {
			return sum, err
		}
		sum.Add(n)
	}
	if most.Cmp(sum) > 0 {
		sum = most
	}
	if whole := field(spec, "resources", "requests", name); isSet(whole) && (name == "cpu" || name == "memory" || strings.HasPrefix(name, "hugepages-")) {
		if sum, err = amount(whole); err != nil {
			return sum, fmt.Errorf("the pod's requests of %s: %w", name, err)
		}
	}
	if overhead := field(spec, "overhead", name); isSet(overhead) {
		n, err := amount(overhead)
		if err != nil {
			return sum, fmt.Errorf("the pod's overhead of %s: %w", name, err)
		}
		sum.Add(n)
	}
	return sum, nil
}

// containerRequest is what a container asks for. Where it says only how much it may have at most, the API server takes
// that; in a template this is still to come.
func containerRequest(container cty.Value, name string) (resource.Quantity, error) {
	for _, part := range []string{"requests", "limits"} {
		v := field(container, "resources", part, name)
		if !isSet(v) {
			continue
		}
		q, err := amount(v)
		if err != nil {
			err = fmt.Errorf("the %s of %s of container %s: %w", part, name, textOf(field(container, "name")), err)
		}
		return q, err
	}
	return resource.Quantity{}, nil
}

// isSet reports whether field has found something other than null.
func isSet(v cty.Value) bool { return v != cty.NilVal && v.IsKnown() && !v.IsNull() }
