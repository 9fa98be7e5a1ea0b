package labfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// question asks something of an object as the API server returns it. Where the answer is no, why says in words what is
// seen instead.
type question func(object cty.Value, args []cty.Value) (yes bool, why string, err error)

// Explaining returns the functions that can say in words why they answer no, by name. Each passes them to note then.
// The map is the caller's; note is called by whoever calls the functions, before they return.
func Explaining(note func(why string)) map[string]function.Function {
	word := function.Parameter{Name: "type", Type: cty.String}
	owner := function.Parameter{Name: "owner", Type: cty.DynamicPseudoType}
	return map[string]function.Function{
		"condition":  objectFunc(conditionIs, note, word),
		"owned_by":   objectFunc(ownedBy, note, owner),
		"ready":      objectFunc(ready, note),
		"rolled_out": objectFunc(rolledOut, note),
	}
}

func objectFunc(ask question, note func(string), more ...function.Parameter) function.Function {
	return function.New(&function.Spec{
		Params: append([]function.Parameter{{Name: "object", Type: cty.DynamicPseudoType}}, more...),
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if kindOf(args[0]) == "" {
				return cty.NilVal, function.NewArgErrorf(0, "this is no object of the cluster: give it self, or live.NAME, or one out of a list of them")
			}
			yes, why, err := ask(args[0], args[1:])
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			if !yes {
				note(why)
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

func kindOf(object cty.Value) string { return textOf(field(object, "kind")) }

// called names an object: "deployment/web".
func called(object cty.Value) string {
	return strings.ToLower(kindOf(object)) + "/" + textOf(field(object, "metadata", "name"))
}

// conditionIs is condition(object, type): whether its status has the condition of this type, and it is "True".
func conditionIs(object cty.Value, args []cty.Value) (bool, string, error) {
	kind := textOf(args[0])
	for _, c := range elements(field(object, "status", "conditions")) {
		if textOf(field(c, "type")) != kind {
			continue
		}
		status := textOf(field(c, "status"))
		why := fmt.Sprintf("%s: its condition %s is %s", called(object), kind, status)
		if message := textOf(field(c, "message")); message != "" {
			why += ": " + message
		}
		return status == "True", why, nil
	}
	return false, fmt.Sprintf("%s has no condition %s", called(object), kind), nil
}

// ownedBy is owned_by(object, owner): whether the owner stands in its metadata, an object by its UID, "Kind/name" by these.
func ownedBy(object cty.Value, args []cty.Value) (bool, string, error) {
	is, wanted, err := ownerIs(args[0])
	if err != nil {
		return false, "", err
	}
	var owners []string
	for _, o := range elements(field(object, "metadata", "ownerReferences")) {
		if is(o) {
			return true, "", nil
		}
		owners = append(owners, strings.ToLower(kindOf(o))+"/"+textOf(field(o, "name")))
	}
	switch {
	case owners == nil:
		return false, called(object) + " is owned by nothing", nil
	case slices.Contains(owners, wanted):
		return false, fmt.Sprintf("%s is owned by a %s that is not the one there is now", called(object), wanted), nil
	}
	return false, fmt.Sprintf("%s is owned by %s", called(object), strings.Join(owners, ", ")), nil
}

// ownerIs returns what an owner reference has to be to mean owner, and what that is called.
func ownerIs(owner cty.Value) (is func(reference cty.Value) bool, name string, err error) {
	if text := textOf(owner); text != "" {
		kind, name, whole := strings.Cut(text, "/")
		if !whole || kind == "" || name == "" {
			return nil, "", fmt.Errorf("%q is no owner such as %q", text, "Job/report")
		}
		return func(o cty.Value) bool { return kindOf(o) == kind && textOf(field(o, "name")) == name }, "", nil
	}
	uid := textOf(field(owner, "metadata", "uid"))
	if uid == "" {
		return nil, "", fmt.Errorf("an owner is an object of the cluster, or its kind and name: %q", "Job/report")
	}
	return func(o cty.Value) bool { return textOf(field(o, "uid")) == uid }, called(owner), nil
}

// ready is ready(object): a pod or node whose condition Ready is "True", a workload that has as many ready replicas as it
// asks for, of which there is one at least. What is being deleted is not.
func ready(object cty.Value, _ []cty.Value) (bool, string, error) {
	if isSet(field(object, "metadata", "deletionTimestamp")) {
		return false, called(object) + " is being deleted", nil
	}
	switch kind := kindOf(object); kind {
	case "Pod", "Node":
		return conditionIs(object, []cty.Value{cty.StringVal("Ready")})
	case "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet":
		if why := unseen(object); why != "" {
			return false, why, nil
		}
		counted := "readyReplicas"
		if kind == "DaemonSet" {
			counted = "numberReady"
		}
		wanted, now := replicas(object), statusNumber(object, counted)
		if wanted == 0 {
			return false, called(object) + " asks for no replicas", nil
		}
		return now >= wanted, fmt.Sprintf("%s: %d of %d replicas are ready", called(object), now, wanted), nil
	default:
		return false, "", fmt.Errorf("a %s cannot be ready: ask about a pod, a node or a workload", kind)
	}
}

// replicas is how many pods a workload asks for.
func replicas(object cty.Value) int64 {
	if kindOf(object) == "DaemonSet" {
		return statusNumber(object, "desiredNumberScheduled")
	}
	return numberOf(field(object, "spec", "replicas"), 1)
}

func statusNumber(object cty.Value, name string) int64 {
	return numberOf(field(object, "status", name), 0)
}

// unseen says that the controller of an object has not seen its newest form; "" where it has.
func unseen(object cty.Value) string {
	if statusNumber(object, "observedGeneration") < max(1, numberOf(field(object, "metadata", "generation"), 1)) {
		return called(object) + ": its newest form has not been seen by its controller yet"
	}
	return ""
}

// rolledOut is rolled_out(object): what `kubectl rollout status` waits for, in its order.
func rolledOut(object cty.Value, _ []cty.Value) (bool, string, error) {
	kind := kindOf(object)
	if kind != "Deployment" && kind != "StatefulSet" && kind != "DaemonSet" {
		return false, "", fmt.Errorf("a %s is not rolled out: ask about a Deployment, a StatefulSet or a DaemonSet", kind)
	}
	if strategy := textOf(field(object, "spec", "updateStrategy", "type")); strategy != "" && strategy != "RollingUpdate" {
		return false, "", fmt.Errorf("%s is not rolled out by its controller: its updateStrategy is %s", called(object), strategy)
	}
	if why := unseen(object); why != "" {
		return false, why, nil
	}
	why := map[string]func(cty.Value) string{"Deployment": deploymentLacks, "StatefulSet": statefulSetLacks, "DaemonSet": daemonSetLacks}[kind](object)
	if why != "" {
		why = called(object) + ": " + why
	}
	return why == "", why, nil
}

const (
	notUpdated   = "%d of %d replicas are of the newest template"
	notReady     = "%d of %d replicas are ready"
	notAvailable = "%d of %d replicas are available"
)

func deploymentLacks(object cty.Value) string {
	wanted, updated, available := replicas(object), statusNumber(object, "updatedReplicas"), statusNumber(object, "availableReplicas")
	old := statusNumber(object, "replicas") - updated
	late := ""
	for _, c := range elements(field(object, "status", "conditions")) {
		if textOf(field(c, "reason")) == "ProgressDeadlineExceeded" {
			late = ", and its progress deadline is over"
		}
	}
	switch {
	case updated < wanted:
		return fmt.Sprintf(notUpdated, updated, wanted) + late
	case old > 0:
		return fmt.Sprintf("replicas of an older template are still there: %d", old) + late
	case available < updated:
		return fmt.Sprintf(notAvailable, available, updated) + late
	}
	return ""
}

func statefulSetLacks(object cty.Value) string {
	wanted, updated, now := replicas(object), statusNumber(object, "updatedReplicas"), statusNumber(object, "readyReplicas")
	// The replicas below the partition keep the template that they have.
	renewed := wanted - numberOf(field(object, "spec", "updateStrategy", "rollingUpdate", "partition"), 0)
	switch {
	case now < wanted:
		return fmt.Sprintf(notReady, now, wanted)
	case updated < renewed:
		return fmt.Sprintf(notUpdated, updated, renewed)
	}
	return ""
}

func daemonSetLacks(object cty.Value) string {
	wanted, updated, available := replicas(object), statusNumber(object, "updatedNumberScheduled"), statusNumber(object, "numberAvailable")
	switch {
	case updated < wanted:
		return fmt.Sprintf(notUpdated, updated, wanted)
	case available < wanted:
		return fmt.Sprintf(notAvailable, available, wanted)
	}
	return ""
}
