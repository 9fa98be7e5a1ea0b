package scenarios

import (
	"context"
	"errors"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

// made are the kinds of object that controllers make from seeded ones, with the marks of their
// template.
var made = []string{"Pod", "ReplicaSet.apps", "Job.batch"}

// Destroy removes the scenario's objects and its record, and returns when it has seen that they
// are gone. Those are the objects with the scenario's marks, and whatever stands under the name of
// a recorded one: a learner who deletes a pod and makes another of its name has replaced ours.
// Of a task, which seeds nothing, it removes the objects that its conditions name.
func (r *Resource) Destroy(ctx context.Context, sink event.Sink) error {
	sc, client, err := r.open(ctx)
	if errors.Is(err, kube.ErrNoCluster) {
		return nil
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, destroyWithin)
	defer cancel()
	a, err := sc.assessAnswered(ctx, client)
	if err != nil {
		return err
	}
	sink.Emit(event.Progress{Addr: r.Addr(), Step: "removing its objects"})
	if a.kept && !a.record.Removing {
		a.record.Removing = true
		if err := writeRecord(ctx, client, sc.lab, sc.s.Name, a.record); err != nil {
			return err
		}
	}
	queries, mine := sc.belongings(a.record)
	if err := client.DeleteAll(ctx, queries, mine); err != nil {
		return err
	}
	r.sum("gone")
	if !a.kept {
		return nil
	}
	return dropRecord(ctx, client, sc.lab, sc.s.Name)
}

// belongings says what is the scenario's.
func (sc *script) belongings(r *record) ([]kube.Query, func(*unstructured.Unstructured) bool) {
	var queries []kube.Query
	add := func(q kube.Query) {
		if !slices.Contains(queries, q) {
			queries = append(queries, q)
		}
	}
	for _, kind := range made {
		add(kube.Query{Kind: kind, Selector: sc.marks().Selector()})
	}
	for _, o := range sc.objs {
		add(kube.Query{Kind: kube.QualifiedKind(o), Selector: sc.marks().Selector()})
	}
	named := map[kube.Query]bool{}
	if r != nil {
		for _, o := range r.Objects {
			add(kube.Query{Kind: o.Kind, Selector: sc.marks().Selector()})
			q := kube.Query{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}
			add(q)
			named[q] = true
		}
	}
	if sc.s.Kind == labfile.Task {
		for _, c := range sc.solving() {
			if c.ObjectName != "" && c.ObjectKind != "Node" && c.ObjectKind != "Namespace" {
				q := query(c)
				add(q)
				named[kube.Query{Kind: q.Kind, Namespace: q.Namespace, Name: q.Name}] = true
			}
		}
	}
	return queries, func(o *unstructured.Unstructured) bool {
		if sc.marks().On(o.GetLabels()) {
			return true
		}
		for q := range named {
			kind := kube.QualifiedKind(o)
			if (q.Kind == kind || q.Kind == o.GetKind()) && q.Namespace == o.GetNamespace() && q.Name == o.GetName() {
				return true
			}
		}
		return false
	}
}
