package scenarios

import (
	"context"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

// Confined reports whether others can be proven beside the scenario: it takes nothing from them, and whatever is made of it carries
// its mark or name, or is in a namespace that it seeds. What the learner of a task builds elsewhere has neither.
func Confined(s *labfile.Scenario) bool {
	if len(s.Disrupts) > 0 {
		return false
	}
	if s.Type != labfile.Task {
		return true
	}
	first, _, err := render(s)
	if err != nil {
		return false
	}
	own := map[string]bool{}
	for _, o := range first {
		if o.GetKind() == "Namespace" {
			own[o.GetName()] = true
		}
	}
	return !slices.ContainsFunc(s.Solved.Conditions, func(c *labfile.Condition) bool {
		asked, is := c.Evidence.(labfile.Objects)
		return is && !own[asked.Namespace]
	}) && len(own) > 0
}

// unbegun reports whether a task was not begun yet, so that nobody has noted what was there before.
func (sc *compiled) unbegun(a *assessment) bool {
	return sc.s.Type == labfile.Task && a.record == nil && a.trouble == nil && len(sc.objs) == 0
}

// begin records which of the objects that a task's conditions name are there already.
func (sc *compiled) begin(ctx context.Context, c *kube.Client, a *assessment) error {
	if err := sc.incapable(ctx, c); err != nil {
		return err
	}
	r := sc.newRecord(c, a)
	r.Complete = true
	return sc.writeRecord(ctx, c, r)
}

// newRecord is what is on record of a scenario when it is begun: when that was, and what of a task's was there before.
func (sc *compiled) newRecord(c *kube.Client, a *assessment) *record {
	r := &record{Begun: c.ServerNow().UTC().Truncate(time.Second)}
	if sc.s.Type == labfile.Task || len(sc.s.Clears) > 0 {
		r.Before = map[string]string{}
	}
	for _, o := range sc.asked(a) {
		r.Before[key(o)] = string(o.GetUID())
	}
	return r
}

// asked returns the live objects that learners are expected to make: those of a task's conditions, and those that the
// scenario clears. A guard looks at what is to be left alone.
func (sc *compiled) asked(a *assessment) (objs []*unstructured.Unstructured) {
	if a.evaluator == nil {
		return nil
	}
	for _, o := range sc.s.Clears {
		objs = append(objs, notProbes(a.evaluator.snapshot[kube.Query(o)].Objects)...)
	}
	if sc.s.Type != labfile.Task {
		return objs
	}
	for _, condition := range sc.s.Solved.Conditions {
		if condition.Evidence == nil {
			continue
		}
		if from, is := sourceOf(condition).(objects); is {
			objs = append(objs, a.evaluator.snapshot[from.query()].Objects...)
		}
	}
	return objs
}

// before reports whether an object was there when the task was begun. An object that no condition named at that
// time is not on record; its age tells.
func (r *record) before(o *unstructured.Unstructured) bool {
	return r.Before[key(o)] == string(o.GetUID()) || o.GetCreationTimestamp().Time.Before(r.Begun)
}

// built returns what the learner has made of what is expected (see asked): an object that is named, and
// what has made it (the Deployment of a pod, found by the pod's labels). It leaves out whatever may be somebody
// else's; unsure are those of which nobody noted whether they were there before.
func (sc *compiled) built(ctx context.Context, c *kube.Client, a *assessment) (built, unsure []*unstructured.Unstructured, err error) {
	for _, o := range sc.asked(a) {
		line, err := lineage(ctx, c, o)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case slices.ContainsFunc(line, sc.untouchable):
		case a.record == nil:
			unsure = append(unsure, o)
		case !slices.ContainsFunc(line, a.record.before):
			built = append(built, line...)
		}
	}
	return built, unsure, nil
}

// lineage returns an object, what controls it, what controls that, and so on.
func lineage(ctx context.Context, c *kube.Client, o *unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	line := []*unstructured.Unstructured{o}
	const deepest = 10
	for range deepest {
		ref := metav1.GetControllerOfNoCopy(o)
		if ref == nil {
			break
		}
		owner := &unstructured.Unstructured{}
		owner.SetAPIVersion(ref.APIVersion)
		owner.SetKind(ref.Kind)
		live, err := c.Get(ctx, kube.QualifiedKind(owner), o.GetNamespace(), ref.Name)
		if apierrors.IsNotFound(err) || isUnknownKind(err) || err == nil && live.GetUID() != ref.UID {
			break // it is gone; Kubernetes clears up after it
		}
		if err != nil {
			return nil, err
		}
		o = live
		line = append(line, o)
	}
	return line, nil
}

// clusterOwn are kinds whose objects Kubernetes makes and keeps by itself.
var clusterOwn = []string{"Node", "Event", "Event.events.k8s.io", "Endpoints", "EndpointSlice.discovery.k8s.io", "Lease.coordination.k8s.io"}

// ownOfNamespaces are the objects that Kubernetes makes in every namespace.
var ownOfNamespaces = []string{"ServiceAccount/default", "ConfigMap/kube-root-ca.crt", "Service/kubernetes"}

// untouchable reports whether an object is not for a learner to build, whatever a task's conditions name:
// Kubernetes' own, or one that carries the marks of a lab or of another scenario.
func (sc *compiled) untouchable(o *unstructured.Unstructured) bool {
	ns := o.GetNamespace()
	if o.GetKind() == "Namespace" {
		ns = o.GetName()
		if ns == metav1.NamespaceDefault {
			return true
		}
	}
	return sc.others(o) ||
		ns != metav1.NamespaceDefault && slices.Contains(kube.OwnNamespaces, ns) ||
		slices.Contains(clusterOwn, kube.Unversioned(kube.QualifiedKind(o))) ||
		slices.Contains(ownOfNamespaces, o.GetKind()+"/"+o.GetName())
}

// others reports whether an object carries marks, and not ours.
func (sc *compiled) others(o *unstructured.Unstructured) bool {
	_, marked := o.GetLabels()[kube.LabelLab]
	return marked && !sc.marks().On(o.GetLabels())
}
