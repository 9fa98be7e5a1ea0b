package labfile

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// question asks something of an object as the API server returns it. Where the answer is no, why says in words what is
// seen instead.
type question func(object cty.Value, args []string) (yes bool, why string, err error)

// questions are those that conditions ask by name, so that what fails can be explained in their words.
var questions = map[string]question{"condition": conditionIs, "owned_by": ownedBy, "ready": ready, "rolled_out": rolledOut}

// Explain says why the function of this name answers no for these arguments; "" where it does not, or is none that
// explains itself.
func Explain(name string, args []cty.Value) string {
	ask, ok := questions[name]
	if !ok || len(args) == 0 {
		return ""
	}
	var texts []string
	for _, arg := range args[1:] {
		texts = append(texts, textOf(arg))
	}
	yes, why, err := ask(args[0], texts)
	if yes || err != nil {
		return ""
	}
	return why
}

func objectFunc(ask question, more ...function.Parameter) function.Function {
	return function.New(&function.Spec{
		Params: append([]function.Parameter{{Name: "object", Type: cty.DynamicPseudoType}}, more...),
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			var texts []string
			for _, arg := range args[1:] {
				texts = append(texts, textOf(arg))
			}
			yes, _, err := ask(args[0], texts)
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.BoolVal(yes), nil
		},
	})
}

// field follows attributes and the elements of maps; the zero of cty.Value where one is not there.
func field(v cty.Value, path ...string) cty.Value {
	for _, name := range path {
		v, _ = v.Unmark()
		switch {
		case v == cty.NilVal || v.IsNull() || !v.IsKnown():
			return cty.NilVal
		case v.Type().IsObjectType() && v.Type().HasAttribute(name):
			v = v.GetAttr(name)
		case v.Type().IsMapType() && v.HasIndex(cty.StringVal(name)).True():
			v = v.Index(cty.StringVal(name))
		default:
			return cty.NilVal
		}
	}
	return v
}

func textOf(v cty.Value) string {
	if v == cty.NilVal || v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		return ""
	}
	return v.AsString()
}

func numberOf(v cty.Value, otherwise int64) int64 {
	if v == cty.NilVal || v.IsNull() || !v.IsKnown() || v.Type() != cty.Number {
		return otherwise
	}
	n, _ := v.AsBigFloat().Int64()
	return n
}

func elements(v cty.Value) []cty.Value {
	if v == cty.NilVal || v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
		return nil
	}
	return v.AsValueSlice()
}

// called names an object: "deployment/web".
func called(object cty.Value) string {
	return strings.ToLower(textOf(field(object, "kind"))) + "/" + textOf(field(object, "metadata", "name"))
}

// conditionIs is condition(object, type): whether its status has the condition of this type, and it is "True".
func conditionIs(object cty.Value, args []string) (bool, string, error) {
	for _, c := range elements(field(object, "status", "conditions")) {
		if textOf(field(c, "type")) != args[0] {
			continue
		}
		status := textOf(field(c, "status"))
		why := fmt.Sprintf("%s: its condition %s is %s", called(object), args[0], status)
		if message := textOf(field(c, "message")); message != "" {
			why += ": " + message
		}
		return status == "True", why, nil
	}
	return false, fmt.Sprintf("%s has no condition %s", called(object), args[0]), nil
}

// ownedBy is owned_by(object, kind, name): whether an owner of this kind and name stands in its metadata.
func ownedBy(object cty.Value, args []string) (bool, string, error) {
	var owners []string
	for _, o := range elements(field(object, "metadata", "ownerReferences")) {
		kind, name := textOf(field(o, "kind")), textOf(field(o, "name"))
		if kind == args[0] && name == args[1] {
			return true, "", nil
		}
		owners = append(owners, strings.ToLower(kind)+"/"+name)
	}
	if owners == nil {
		return false, called(object) + " is owned by nothing", nil
	}
	return false, fmt.Sprintf("%s is owned by %s", called(object), strings.Join(owners, ", ")), nil
}

// ready is ready(object): a pod or node whose condition Ready is "True", a workload all of whose replicas are ready.
func ready(object cty.Value, _ []string) (bool, string, error) {
	if field(object, "metadata", "deletionTimestamp") != cty.NilVal {
		return false, called(object) + " is being deleted", nil
	}
	switch kind := textOf(field(object, "kind")); kind {
	case "Pod", "Node":
		return conditionIs(object, []string{"Ready"})
	case "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet":
		wanted, now := replicas(object), numberOf(field(object, "status", "readyReplicas"), 0)
		if kind == "DaemonSet" {
			now = numberOf(field(object, "status", "numberReady"), 0)
		}
		seen := seenNewest(object)
		return now == wanted && wanted > 0 && seen, fmt.Sprintf("%s: %d of %d replicas are ready", called(object), now, wanted), nil
	default:
		return false, "", fmt.Errorf("a %s cannot be ready: ask about a pod, a node or a workload", kind)
	}
}

// replicas is how many pods a workload asks for.
func replicas(object cty.Value) int64 {
	if textOf(field(object, "kind")) == "DaemonSet" {
		return numberOf(field(object, "status", "desiredNumberScheduled"), 0)
	}
	return numberOf(field(object, "spec", "replicas"), 1)
}

// seenNewest reports whether the controller has seen an object's newest form.
func seenNewest(object cty.Value) bool {
	return numberOf(field(object, "status", "observedGeneration"), 0) >= numberOf(field(object, "metadata", "generation"), 0)
}

// rolledOut is rolled_out(object): what `kubectl rollout status` waits for.
func rolledOut(object cty.Value, _ []string) (bool, string, error) {
	kind := textOf(field(object, "kind"))
	if kind != "Deployment" && kind != "StatefulSet" && kind != "DaemonSet" {
		return false, "", fmt.Errorf("a %s is not rolled out: ask about a Deployment, a StatefulSet or a DaemonSet", kind)
	}
	status := func(name string) int64 { return numberOf(field(object, "status", name), 0) }
	wanted, updated, available := replicas(object), status("updatedReplicas"), status("availableReplicas")
	old := status("replicas") - updated
	if kind == "DaemonSet" {
		updated, available, old = status("updatedNumberScheduled"), status("numberAvailable"), 0
	}
	switch {
	case !seenNewest(object):
		return false, called(object) + ": its newest form has not been seen by its controller yet", nil
	case updated < wanted:
		return false, fmt.Sprintf("%s: %d of %d replicas are of the newest template", called(object), updated, wanted), nil
	case old > 0 && kind == "Deployment":
		return false, fmt.Sprintf("%s: %d replicas of an older template are still there", called(object), old), nil
	case available < wanted:
		return false, fmt.Sprintf("%s: %d of %d replicas are available", called(object), available, wanted), nil
	}
	return true, "", nil
}

// requestsFunc is requests(pod, resource): what the scheduler counts a pod as, for "cpu" in cores, else in bytes or
// pieces: the sum over its containers and sidecars, or the largest of what it needs while it starts.
func requestsFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "pod", Type: cty.DynamicPseudoType}, {Name: "resource", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			of := func(container cty.Value) (*big.Float, error) {
				v := field(container, "resources", "requests", args[1].AsString())
				if v == cty.NilVal || v.IsNull() {
					return new(big.Float), nil
				}
				n, err := amount(v)
				if err != nil {
					return nil, err
				}
				return n.AsBigFloat(), nil
			}
			sum, most := new(big.Float), new(big.Float)
			for _, c := range elements(field(args[0], "spec", "initContainers")) {
				n, err := of(c)
				if err != nil {
					return cty.NilVal, function.NewArgError(0, err)
				}
				if textOf(field(c, "restartPolicy")) == "Always" { // a sidecar stays
					sum = new(big.Float).Add(sum, n)
					n = new(big.Float)
				}
				if during := new(big.Float).Add(sum, n); during.Cmp(most) > 0 {
					most = during
				}
			}
			for _, c := range elements(field(args[0], "spec", "containers")) {
				n, err := of(c)
				if err != nil {
					return cty.NilVal, function.NewArgError(0, err)
				}
				sum = new(big.Float).Add(sum, n)
			}
			if most.Cmp(sum) > 0 {
				sum = most
			}
			return cty.NumberVal(sum), nil
		},
	})
}
