package scenarios

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// assessAnswered looks until the API server has answered: one that is starting, or whose node was
// just started again, may refuse for a while. A state that cannot be told for another reason is
// returned as it is.
func (sc *compiled) assessAnswered(ctx context.Context, c *kube.Client) (*assessment, error) {
	var a *assessment
	if sc.s.TakesAPI() {
		if a = sc.assessNow(ctx, c); a.record != nil && a.record.Complete {
			return a, nil // whether it answers is for the scenario to tell
		}
	}
	var taken error
	waiting := func(err error) bool {
		if !kube.Starting(err) {
			return false
		}
		taken = sc.taken(ctx)
		return taken == nil
	}
	err := kube.Retry(ctx, waiting, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, lookWithin)
		defer cancel()
		snapshot := observe(ctx, c, sc.sources(), nil)
		a = sc.assess(snapshot, c.ServerNow(), nil)
		for _, u := range snapshot {
			if u.Err != nil && !isUnknownKind(u.Err) {
				return u.Err
			}
		}
		return a.trouble
	})
	if taken != nil {
		return nil, taken
	}
	if err != nil {
		if kube.Starting(err) {
			return nil, clierr.New(clierr.Inconclusive, "looking at %s: %w", sc.s.Name, err)
		}
		return nil, err
	}
	return a, nil
}

// seed makes the objects. The record is begun before and completed after, so that a run that was
// cut short is resumed.
func (sc *compiled) seed(ctx context.Context, c *kube.Client, a *assessment, sink event.Sink) error {
	if err := errors.Join(sc.lackingNodes(), sc.lacking(ctx, c)); err != nil {
		return err
	}
	r := a.record
	if r == nil { // later the seed's own steps may have changed what there is
		if err := sc.incapable(ctx, c); err != nil {
			return err
		}
		r = sc.newRecord(c, a)
		if err := sc.writeRecord(ctx, c, r); err != nil {
			return err
		}
	}
	r.Objects = map[string]seeded{}
	if err := sc.makeAll(ctx, c, r, sc.first); err != nil {
		if clierr.ClassOf(err) == clierr.Refused && len(r.Objects) == 0 {
			// Nothing was made, so nothing is to be remembered. The refusal is what counts.
			return errors.Join(err, sc.dropRecord(ctx, c))
		}
		return err
	}
	if err := sc.takeSteps(ctx, c, r, sink); err != nil {
		return err
	}
	r.Complete = true
	return sc.writeRecord(ctx, c, r)
}

// makeAll creates objects, and notes them in the record.
func (sc *compiled) makeAll(ctx context.Context, c *kube.Client, r *record, objs []*unstructured.Unstructured) error {
	for _, obj := range objs {
		live, err := sc.make(ctx, c, obj)
		if err != nil {
			return err
		}
		r.Objects[key(obj)] = seededFrom(live)
	}
	return nil
}

// make creates one object, after what it needs has come into effect: a kind that the seed defines is served some
// moments after its definition was made, and a pod is refused as long as its namespace lacks the default
// service account, which the controller manager makes.
func (sc *compiled) make(ctx context.Context, c *kube.Client, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	definition := sc.definition(obj)
	if definition != nil {
		if err := c.WaitDefined(ctx, definition.GetName(), kube.QualifiedKind(obj)); err != nil {
			return nil, err
		}
	}
	if obj.GetKind() == "Pod" {
		if err := c.WaitServiceAccount(ctx, seedQuery(obj).Namespace); err != nil {
			return nil, err
		}
	}
	transient := func(err error) bool { return kube.Starting(err) || definition != nil && isUnknownKind(err) }
	var live *unstructured.Unstructured
	err := kube.Retry(ctx, transient, func(ctx context.Context) (err error) {
		live, _, err = c.Create(ctx, obj, sc.marks())
		return err
	})
	return live, err
}

// prove watches until the symptom shows, records that, and returns what it means. Parts of it that
// were seen one after the other on the same object count together where their conditions are sticky.
// When ctx ends, the error says what was seen last; its class is clierr.Inconclusive when the last
// verdict was that it cannot be told.
func (sc *compiled) prove(ctx context.Context, c *kube.Client, sink event.Sink) (string, error) {
	learned := sightings{}
	var a *assessment
	said := ""
	err := sc.follow(ctx, c, func(w kube.Snapshot) kube.Decision {
		a = sc.assess(w, c.ServerNow(), learned)
		if a.unprobed && restHolds(a.Symptom) {
			sc.probe(ctx, c, w, sc.s.Symptom)
			a = sc.assess(w, c.ServerNow(), learned)
		}
		for l := range a.learned {
			learned[l] = true
		}
		if a.record != nil && a.evaluator != nil && all(a.Symptom...) == Holds {
			return kube.Decision{Done: true}
		}
		if step := "waiting for the symptom: " + words(unmet(a.Symptom)); w.Synced() && step != said {
			said = step
			sink.Emit(event.Progress{Addr: "scenario." + sc.s.Name, Step: step})
		}
		if slices.ContainsFunc(sc.s.Symptom, undated) {
			return kube.Decision{Wake: time.Second}
		}
		return kube.Decision{}
	})
	if err != nil {
		if a == nil {
			return "", clierr.New(clierr.Inconclusive, "last seen: nothing (%w)", err)
		}
		class, last := clierr.Failed, unmet(a.Symptom)
		switch {
		case a.trouble != nil:
			return "", clierr.New(clierr.Inconclusive, "last seen: %w (%w)", a.trouble, err)
		case last == nil:
			return "", err
		case last.Verdict == Inconclusive:
			class = clierr.Inconclusive
		}
		return "", clierr.New(class, "last seen: %s (%w)", last.Reason, err)
	}
	r := a.record
	now := c.ServerNow().UTC().Truncate(time.Second)
	r.Proven, r.Sightings = &now, nil
	for l := range learned {
		r.Sightings = append(r.Sightings, l)
	}
	sortSightings(r.Sightings)
	if err := sc.writeRecord(ctx, c, r); err != nil {
		return "", err
	}
	return sayings(a.Symptom), nil
}

// render returns the objects that a scenario makes, in their order: those at first, and those of its steps.
func render(s *labfile.Scenario) (first []*unstructured.Unstructured, steps []step, err error) {
	manifests, diags := labfile.Render(s.Definition, s.Input)
	if diags.HasErrors() {
		return nil, nil, fmt.Errorf("rendering the manifests of %s: %w", s.Name, diags)
	}
	of := map[string][]*unstructured.Unstructured{}
	for _, m := range manifests {
		of[m.Path] = objectsOf(m)
	}
	if s.Seed == nil {
		return nil, nil, nil
	}
	for _, path := range s.Seed.Manifests {
		first = append(first, of[path]...)
	}
	for _, declared := range s.Seed.Steps {
		next := step{Step: declared}
		for _, path := range declared.Manifests {
			next.objs = append(next.objs, of[path]...)
		}
		replacing, diags := labfile.RenderReplacing(s.Definition, declared, s.Input)
		if diags.HasErrors() {
			return nil, nil, fmt.Errorf("rendering the manifests of %s: %w", s.Name, diags)
		}
		for _, m := range replacing {
			next.replacing = append(next.replacing, objectsOf(m)...)
		}
		steps = append(steps, next)
	}
	return first, steps, nil
}

func objectsOf(m labfile.Manifest) (objs []*unstructured.Unstructured) {
	for _, object := range m.Objects {
		objs = append(objs, &unstructured.Unstructured{Object: object})
	}
	return objs
}

// key identifies an object among a scenario's, whatever the version in which it is spoken of:
// "Deployment.apps/default/web".
func key(obj *unstructured.Unstructured) string {
	return keyOf(kube.QualifiedKind(obj), obj.GetNamespace(), obj.GetName())
}

// keyOf is key. Kinds without namespaces are not told apart here: manifests do not say which those are.
func keyOf(kind, namespace, name string) string {
	return kube.Unversioned(kind) + "/" + cmp.Or(namespace, "default") + "/" + name
}

// callNames are the names by which expressions may call seeded objects: seed["Pod/web"] or, where that fits
// more than one, seed["Pod/shop/web"]; with the kind's group where kinds share a name. A name that fits
// several objects is none's.
func callNames(objs []*unstructured.Unstructured) map[string]*unstructured.Unstructured {
	fits := map[string][]*unstructured.Unstructured{}
	for _, o := range objs {
		for _, kind := range slices.Compact([]string{o.GetKind(), kube.Unversioned(kube.QualifiedKind(o))}) {
			for _, name := range []string{o.GetName(), cmp.Or(o.GetNamespace(), "default") + "/" + o.GetName()} {
				fits[kind+"/"+name] = append(fits[kind+"/"+name], o)
			}
		}
	}
	names := map[string]*unstructured.Unstructured{}
	for name, of := range fits {
		if len(of) == 1 {
			names[name] = of[0]
		}
	}
	return names
}
