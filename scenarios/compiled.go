package scenarios

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

// compiled is what does not change about a scenario in a lab: the definition and what follows from
// it.
type compiled struct {
	lab  string
	s    *labfile.Scenario
	objs []*unstructured.Unstructured // rendered, to be seeded, in the order in which they are made
	// names are the objects as expressions call them.
	names map[string]*unstructured.Unstructured
	base  *hcl.EvalContext // input, seed, functions
}

func compile(lab string, s *labfile.Scenario) (*compiled, error) {
	objs, err := render(s)
	if err != nil {
		return nil, err
	}
	sortForSeeding(objs)
	seed, names := map[string]cty.Value{}, callNames(objs)
	for name, o := range names {
		seed[name] = toValue(o.Object)
	}
	input := map[string]cty.Value{}
	for _, in := range s.Inputs {
		input[in.Name] = in.Default
	}
	for name, v := range s.Input {
		input[name] = v
	}
	return &compiled{lab: lab, s: s, objs: objs, names: names, base: &hcl.EvalContext{
		Variables: map[string]cty.Value{"input": cty.ObjectVal(input), "seed": cty.ObjectVal(seed)},
		Functions: labfile.Functions(),
	}}, nil
}

func (sc *compiled) marks() kube.Ownership { return kube.Ownership{Lab: sc.lab, Scenario: sc.s.Name} }

// seedQuery finds the object that stands where a seeded one should.
func seedQuery(obj *unstructured.Unstructured) kube.Query {
	ns := obj.GetNamespace()
	if ns == "" {
		ns = "default"
	}
	return kube.Query{Kind: kube.QualifiedKind(obj), Namespace: ns, Name: obj.GetName()}
}

var nodesQuery = kube.Query{Kind: "Node"}

// conditions are those of symptom, solved, guards and hints.
func (sc *compiled) conditions() []*labfile.Condition {
	cs := slices.Concat(sc.s.Symptom, sc.solving())
	for _, h := range sc.s.Hints {
		if h.When != nil {
			cs = append(cs, h.When)
		}
	}
	return cs
}

// solving are the conditions and guards of solved.
func (sc *compiled) solving() []*labfile.Condition {
	if sc.s.Solved == nil {
		return nil
	}
	return slices.Concat(sc.s.Solved.Conditions, sc.s.Solved.Guards)
}

// needsUID reports whether solving asks for the very object that was seeded.
func (sc *compiled) needsUID(obj *unstructured.Unstructured) bool {
	for _, c := range sc.solving() {
		for _, t := range c.Holds.Variables() {
			if len(t) < 3 || t.RootName() != "seeded" {
				continue
			}
			index, is := t[1].(hcl.TraverseIndex)
			attr, has := t[2].(hcl.TraverseAttr)
			if is && has && index.Key.Type() == cty.String && sc.names[index.Key.AsString()] == obj && attr.Name == "uid" {
				return true
			}
		}
	}
	return false
}
