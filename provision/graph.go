package provision

import (
	"fmt"
	"slices"
	"strings"
)

// Graph is a set of resources in an order in which each comes after what it needs. It is
// immutable; its operations are in apply.go, destroy.go and observe.go.
type Graph struct {
	order []Resource
}

// NewGraph orders the resources. It fails when two share an address, when one needs a resource
// that is not among them, or when needs go round in a circle.
func NewGraph(resources ...Resource) (*Graph, error) {
	byAddr := map[string]Resource{}
	for _, r := range resources {
		if _, twice := byAddr[r.Addr()]; twice {
			return nil, fmt.Errorf("two resources have the address %s", r.Addr())
		}
		byAddr[r.Addr()] = r
	}
	g := &Graph{}
	done := map[string]bool{}
	var visit func(r Resource, path []string) error
	visit = func(r Resource, path []string) error {
		addr := r.Addr()
		if done[addr] {
			return nil
		}
		if slices.Contains(path, addr) {
			return fmt.Errorf("resources need one another in a circle: %s", strings.Join(append(path, addr), " -> "))
		}
		for _, need := range r.Needs() {
			needed, known := byAddr[need.Resource.Addr()]
			if !known {
				return fmt.Errorf("%s needs %s, which is not in the graph", addr, need.Resource.Addr())
			}
			if err := visit(needed, append(path, addr)); err != nil {
				return err
			}
		}
		done[addr] = true
		g.order = append(g.order, r)
		return nil
	}
	for _, r := range resources {
		if err := visit(r, nil); err != nil {
			return nil, err
		}
	}
	return g, nil
}
