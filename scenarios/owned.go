package scenarios

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/labctl/labctl/internal/kube"
)

// made are the kinds of object that controllers make for others, in an order in which each comes after what may
// have made it. Volumes are left to the claims' reclaim policy, EndpointSlices to Kubernetes.
var made = []string{"Job.batch", "ReplicaSet.apps", "ControllerRevision.apps", "PersistentVolumeClaim", "Pod"}

// ownedObjects are what a reset removes.
type ownedObjects struct {
	sc *compiled
	// queries find it, and more.
	queries []kube.Query
	// named are the keys of the seeded objects: a learner who deletes a pod and makes another of its name has
	// replaced ours.
	named map[string]bool
	// known are the objects that are known to belong, for what they have made belongs as well.
	known  map[types.UID]bool
	claims []claims
}

// claims are those that a StatefulSet makes from its templates. It does not own them, and without labels
// in the templates only their names tell whose they are.
type claims struct {
	namespace string
	name      *regexp.Regexp
	since     time.Time // an older one was there before
}

// ownedObjects finds out what is the scenario's: the objects with its marks, whatever stands under the name of a
// recorded one, what the learner of a task has built (see built), and all that these have made.
func (sc *compiled) ownedObjects(ctx context.Context, c *kube.Client, r *record, built []*unstructured.Unstructured) (*ownedObjects, error) {
	b := &ownedObjects{sc: sc, named: map[string]bool{}, known: map[types.UID]bool{}}
	namespaces := map[string]bool{}
	for _, kind := range made {
		b.add(kube.Query{Kind: kind, Selector: sc.marks().Selector()})
	}
	for _, kind := range sc.scriptKinds() {
		b.add(kube.Query{Kind: kind, Selector: sc.marks().Selector() + "," + labelProbe})
	}
	for _, o := range sc.objs {
		b.add(kube.Query{Kind: kube.QualifiedKind(o), Selector: sc.marks().Selector()})
		namespaces[seedQuery(o).Namespace] = true
	}
	if r != nil {
		for k, o := range r.Objects {
			b.add(kube.Query{Kind: o.Kind, Selector: sc.marks().Selector()})
			b.add(kube.Query{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name})
			b.named[k] = true
			namespaces[cmp.Or(o.Namespace, "default")] = true
		}
	}
	for _, o := range built {
		b.add(kube.Query{Kind: kube.QualifiedKind(o), Namespace: o.GetNamespace(), Name: o.GetName()})
		b.known[o.GetUID()] = true
		namespaces[cmp.Or(o.GetNamespace(), "default")] = true
	}
	for _, ns := range slices.Sorted(maps.Keys(namespaces)) {
		for _, kind := range made {
			b.add(kube.Query{Kind: kind, Namespace: ns})
		}
	}
	return b, b.trace(ctx, c, r)
}

func (b *ownedObjects) add(q kube.Query) {
	if !slices.Contains(b.queries, q) {
		b.queries = append(b.queries, q)
	}
}

// trace looks once, before anything is removed: the owners tell whose the owned are, and go first.
func (b *ownedObjects) trace(ctx context.Context, c *kube.Client, r *record) error {
	var sources []source
	for _, q := range b.queries {
		sources = append(sources, objects(q))
	}
	snapshot := observe(ctx, c, sources, nil)
	sets := slices.Clone(b.sc.objs)
	for _, q := range b.queries {
		if err := snapshot[q].Err; err != nil && !isUnknownKind(err) {
			return fmt.Errorf("looking at what belongs to %s: %w", b.sc.s.Name, err)
		}
		sets = append(sets, slices.DeleteFunc(slices.Clone(snapshot[q].Objects), func(o *unstructured.Unstructured) bool { return !b.has(o) })...)
	}
	if r == nil {
		return nil
	}
	for _, set := range sets {
		if kube.Unversioned(kube.QualifiedKind(set)) != "StatefulSet.apps" {
			continue
		}
		if name := claimName(set); name != nil {
			b.claims = append(b.claims, claims{cmp.Or(set.GetNamespace(), "default"), name, r.Begun})
		}
	}
	return nil
}

// claimName matches the names of the claims that a StatefulSet makes; nil when it makes none.
func claimName(set *unstructured.Unstructured) *regexp.Regexp {
	templates, _, _ := unstructured.NestedSlice(set.Object, "spec", "volumeClaimTemplates")
	var names []string
	for _, t := range templates {
		template, _ := t.(map[string]any)
		if name, _, _ := unstructured.NestedString(template, "metadata", "name"); name != "" {
			names = append(names, regexp.QuoteMeta(name))
		}
	}
	if names == nil {
		return nil
	}
	return regexp.MustCompile(`^(` + strings.Join(names, "|") + `)-` + regexp.QuoteMeta(set.GetName()) + `-[0-9]+$`)
}

// has reports whether an object belongs, and remembers it, so that what it has made belongs as well.
func (b *ownedObjects) has(o *unstructured.Unstructured) bool {
	owner := metav1.GetControllerOfNoCopy(o)
	switch {
	case b.sc.marks().On(o.GetLabels()), b.known[o.GetUID()]:
	case b.sc.others(o):
		return false
	case b.named[key(o)], owner != nil && b.known[owner.UID], b.claimed(o):
	default:
		return false
	}
	b.known[o.GetUID()] = true
	return true
}

func (b *ownedObjects) claimed(o *unstructured.Unstructured) bool {
	return o.GetKind() == "PersistentVolumeClaim" && len(o.GetOwnerReferences()) == 0 &&
		slices.ContainsFunc(b.claims, func(c claims) bool {
			return c.namespace == o.GetNamespace() && c.name.MatchString(o.GetName()) && !o.GetCreationTimestamp().Time.Before(c.since)
		})
}
