package scenarios

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Verdict is the answer to a question about the cluster.
type Verdict = provision.Verdict

// The verdicts.
const (
	Holds        = provision.Holds
	DoesNotHold  = provision.DoesNotHold
	Inconclusive = provision.Inconclusive
)

// Finding is what was found about one condition.
type Finding struct {
	// Role is "symptom", "condition" or "guard".
	Role string `json:"role"`
	Name string `json:"name"`
	// Says is what it means when the condition holds.
	Says    string  `json:"says"`
	Verdict Verdict `json:"verdict"`
	// Reason says why, on which values; empty when it holds. It gives away what is looked at: Words
	// do not.
	Reason string `json:"reason,omitempty"`
	// Expression is the condition as it stands in the definition.
	Expression string   `json:"expression"`
	Objects    []Object `json:"objects,omitempty"`
	// Said is the last line that each script printed: "verify: 2 of 3 pods are there".
	Said []string `json:"said,omitempty"`

	unprobed bool // its probes were not run in this look
}

// Words says what holds or is missing, without a value.
func (f Finding) Words() string {
	says := strings.TrimSuffix(f.Says, ".")
	switch {
	case f.Verdict == Inconclusive:
		return says + ": inconclusive: " + f.Reason
	case f.Verdict == DoesNotHold && len(f.Objects) == 0:
		return says + " (" + f.Reason + ")"
	case f.Verdict == DoesNotHold && strings.HasPrefix(f.Objects[0].Ref, "answer/"):
		return f.Reason // whether it was answered
	}
	if len(f.Said) > 0 {
		says += " (" + strings.Join(f.Said, "; ") + ")"
	}
	return says
}

// Object is what was found about one object that a condition speaks of.
type Object struct {
	Ref     string  `json:"ref"` // "pod/imagepull"
	UID     string  `json:"uid"`
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason,omitempty"`
	// Sticky: it does not show now, but was seen on this very object with this very spec.
	Sticky bool    `json:"sticky,omitempty"`
	Values []Value `json:"values,omitempty"`
}

// Value is a part of an expression and what it was.
type Value struct {
	Of string `json:"of"` // "self.status.phase"
	// Is is the value in JSON, cut short when it is long, or why there is none.
	Is      string `json:"is"`
	Missing bool   `json:"missing,omitempty"`
}

// String returns "self.status.phase = "Running"".
func (v Value) String() string {
	if v.Missing {
		return v.Of + ": " + v.Is
	}
	return v.Of + " = " + v.Is
}

// all is the verdict on several findings together: one that does not hold decides; else one that
// cannot be told does. No findings at all hold nothing.
func all(findings ...Finding) Verdict {
	if len(findings) == 0 {
		return DoesNotHold
	}
	verdicts := make([]Verdict, len(findings))
	for i, f := range findings {
		verdicts[i] = f.Verdict
	}
	return provision.Together(verdicts...)
}

// unmet returns the finding that decides a verdict which is not Holds: the first that does not
// hold, else the first that cannot be told, else nil.
func unmet(findings []Finding) *Finding {
	for _, want := range []Verdict{DoesNotHold, Inconclusive} {
		for _, f := range findings {
			if f.Verdict == want {
				return &f
			}
		}
	}
	return nil
}

// counted returns those of the objects found that a condition asks about. Two kinds are left out,
// unless the condition itself refers to what sets them apart:
//
//   - What is being deleted (deletionTimestamp): it is on its way out and proves nothing. That is
//     also what becomes of the pods of a lost node.
//   - Where a selector finds them, pods that have Failed (evicted, past their deadline, refused by the
//     node, shut down with it) or Succeeded and whose controller puts another in their place:
//     ReplicaSet (so Deployment), StatefulSet, DaemonSet, ReplicationController. They stay listed
//     until somebody deletes them, and say nothing about what runs. A condition that refers to
//     self.status.reason ("Evicted") sees them.
//
// A Job's finished pods count, since to finish is what they are for, and so do pods without a
// controller, which nobody replaces. So does everything that still runs, such as the pods of an
// older ReplicaSet during a rolling update: until they are gone, the update is not over.
func counted(c *labfile.Condition, objs []*unstructured.Unstructured) []*unstructured.Unstructured {
	objs = notProbes(objs)
	if !refersTo(c.Holds, "self.metadata.deletionTimestamp") {
		objs = alive(objs)
	}
	if sourceOf(c).query().Name != "" || refersTo(c.Holds, "self.status.reason") {
		return objs
	}
	var kept []*unstructured.Unstructured
	for _, o := range objs {
		if !replaced(o) {
			kept = append(kept, o)
		}
	}
	return kept
}

func alive(objs []*unstructured.Unstructured) []*unstructured.Unstructured {
	var live []*unstructured.Unstructured
	for _, o := range objs {
		if o.GetDeletionTimestamp() == nil {
			live = append(live, o)
		}
	}
	return live
}

// replacers are the controllers that make a new pod for each that has finished, by group and kind.
var replacers = map[string]bool{
	"apps/ReplicaSet": true, "apps/StatefulSet": true, "apps/DaemonSet": true, "/ReplicationController": true,
}

// replaced reports whether an object is a pod that has finished for good and whose controller makes
// another one instead.
func replaced(obj *unstructured.Unstructured) bool {
	phase, _, _ := unstructured.NestedString(obj.Object, "status", "phase")
	if obj.GetKind() != "Pod" || phase != "Failed" && phase != "Succeeded" {
		return false
	}
	for _, owner := range obj.GetOwnerReferences() {
		group, _, grouped := strings.Cut(owner.APIVersion, "/")
		if !grouped {
			group = ""
		}
		if owner.Controller != nil && *owner.Controller && replacers[group+"/"+owner.Kind] {
			return true
		}
	}
	return false
}

// refersTo reports whether an expression has this very reference, or one that begins with it.
func refersTo(expr hcl.Expression, path string) bool {
	for _, t := range expr.Variables() {
		if spelt := spell(t); spelt == path || strings.HasPrefix(spelt, path+".") || strings.HasPrefix(spelt, path+"[") {
			return true
		}
	}
	return false
}
