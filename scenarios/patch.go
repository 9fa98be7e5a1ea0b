package scenarios

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

// patchedBy begins the annotation in which an object that is not a scenario's keeps what the scenario's patch has changed of
// it. It is written with the change, in one request, so that there is no moment in which the former value is known to
// nobody, and it is lost only with the object.
const patchedBy = "labctl/patched."

// former is what such an annotation holds.
type former struct {
	Lab string `json:"lab"`
	// Fields are the former values by JSON pointer; null for one that was not there.
	Fields map[string]json.RawMessage `json:"fields,omitempty"`
	// Taints are those that were added: KEY:EFFECT.
	Taints []string `json:"taints,omitempty"`
}

func (sc *compiled) patchMark() string { return patchedBy + sc.s.Name }

// patch makes the change that a step asks for, on each object that it names. What another scenario has changed is refused.
func (sc *compiled) patch(ctx context.Context, c *kube.Client, p *labfile.Patch) error {
	objs, err := c.List(ctx, kube.Query(p.Objects))
	if err != nil {
		return err
	}
	if len(objs) == 0 {
		return clierr.New(clierr.Failed, "there is no %s to patch", objects(p.Objects))
	}
	for _, obj := range objs {
		err := sc.change(ctx, c, obj, func(live *unstructured.Unstructured) (map[string]any, error) { return sc.patchOf(live, p) })
		if err != nil {
			return err
		}
	}
	return nil
}

// change reads an object and merges into it what with returns for it, if anything, until nobody has come between.
func (sc *compiled) change(ctx context.Context, c *kube.Client, obj *unstructured.Unstructured, with func(*unstructured.Unstructured) (map[string]any, error)) error {
	kind := kube.QualifiedKind(obj)
	return kube.Retry(ctx, func(err error) bool { return kube.Starting(err) || apierrors.IsConflict(err) }, func(ctx context.Context) error {
		live, err := c.Get(ctx, kind, obj.GetNamespace(), obj.GetName())
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		patch, err := with(live)
		if err != nil || patch == nil {
			return err
		}
		set(patch, live.GetResourceVersion(), "metadata", "resourceVersion")
		_, err = c.Merge(ctx, kind, live.GetNamespace(), live.GetName(), patch)
		return err
	})
}

// patchOf returns the merge patch that makes the change and notes what was there before.
func (sc *compiled) patchOf(live *unstructured.Unstructured, p *labfile.Patch) (map[string]any, error) {
	note := former{Lab: sc.lab, Fields: map[string]json.RawMessage{}}
	if text, is := live.GetAnnotations()[sc.patchMark()]; is {
		if err := json.Unmarshal([]byte(text), &note); err != nil {
			return nil, fmt.Errorf("%s: what its annotation %s says cannot be read: %w", refOf(live), sc.patchMark(), err)
		}
	}
	patch := map[string]any{}
	for path, value := range p.Set {
		if by := sc.changedBy(live, func(other former) bool { _, is := other.Fields[path]; return is }); by != "" {
			return nil, sc.patched(live, path, by)
		}
		names := labfile.Pointer(path)
		if _, noted := note.Fields[path]; !noted {
			was, _, err := unstructured.NestedFieldCopy(live.Object, names...)
			if err != nil {
				return nil, fmt.Errorf("%s has no place for %s: %w", refOf(live), path, err)
			}
			if note.Fields[path], err = json.Marshal(was); err != nil {
				return nil, err
			}
		}
		var v any
		if value != nil {
			if err := json.Unmarshal(value, &v); err != nil {
				return nil, err
			}
		}
		set(patch, v, names...)
	}
	if len(p.Taints) > 0 {
		taints, _, _ := unstructured.NestedSlice(live.Object, "spec", "taints")
		for _, t := range p.Taints {
			id := t.Key + ":" + t.Effect
			if by := sc.changedBy(live, func(other former) bool { return slices.Contains(other.Taints, id) }); by != "" {
				return nil, sc.patched(live, "the taint "+id, by)
			}
			if slices.ContainsFunc(taints, func(have any) bool { return taintID(have) == id }) {
				continue // it was there before, or an earlier run has added it
			}
			taints = append(taints, map[string]any{"key": t.Key, "value": t.Value, "effect": t.Effect})
			note.Taints = append(note.Taints, id)
		}
		set(patch, taints, "spec", "taints")
	}
	text, err := json.Marshal(note)
	if err != nil {
		return nil, err
	}
	set(patch, string(text), "metadata", "annotations", sc.patchMark())
	return patch, nil
}

// changedBy names the scenario that has changed something of an object; "" where none other has.
func (sc *compiled) changedBy(live *unstructured.Unstructured, holds func(former) bool) string {
	for key, text := range live.GetAnnotations() {
		other, is := strings.CutPrefix(key, patchedBy)
		var note former
		if is && other != sc.s.Name && json.Unmarshal([]byte(text), &note) == nil && holds(note) {
			return other
		}
	}
	return ""
}

func (sc *compiled) patched(live *unstructured.Unstructured, what, by string) error {
	return clierr.New(clierr.Refused, "scenario %s has changed %s of %s already", by, what, refOf(live)).
		WithNext("Have one of the two in a lab.")
}

// unpatch puts back what the scenario's patches have changed, wherever that still stands.
func (sc *compiled) unpatch(ctx context.Context, c *kube.Client) error {
	done := map[string]bool{}
	for _, s := range slices.Backward(sc.steps) {
		for _, p := range s.Patches {
			if done[p.Kind] {
				continue
			}
			done[p.Kind] = true
			objs, err := c.List(ctx, kube.Query{Kind: p.Kind}) // by its mark, for a selector may not find it any more
			if err != nil {
				return err
			}
			for _, obj := range objs {
				if obj.GetAnnotations()[sc.patchMark()] == "" {
					continue
				}
				if err := sc.change(ctx, c, obj, sc.unpatchOf); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// unpatchOf returns the merge patch that puts back what was there before; nil where nothing was changed.
func (sc *compiled) unpatchOf(live *unstructured.Unstructured) (map[string]any, error) {
	text, is := live.GetAnnotations()[sc.patchMark()]
	if !is {
		return nil, nil
	}
	var note former
	if err := json.Unmarshal([]byte(text), &note); err != nil {
		return nil, clierr.New(clierr.Failed, "%s: what its annotation %s says cannot be read, so what was there before is not known: %w", refOf(live), sc.patchMark(), err).
			WithNext("Put it right by hand and remove the annotation: `labctl kubectl -- annotate %s %s-`.", refOf(live), sc.patchMark())
	}
	patch := map[string]any{}
	set(patch, nil, "metadata", "annotations", sc.patchMark())
	for path, was := range note.Fields {
		var v any
		if err := json.Unmarshal(was, &v); err != nil {
			return nil, err
		}
		set(patch, v, labfile.Pointer(path)...)
	}
	if len(note.Taints) > 0 {
		taints, _, _ := unstructured.NestedSlice(live.Object, "spec", "taints")
		taints = slices.DeleteFunc(taints, func(have any) bool { return slices.Contains(note.Taints, taintID(have)) })
		var left any // none, and no empty list, as before
		if len(taints) > 0 {
			left = taints
		}
		set(patch, left, "spec", "taints")
	}
	return patch, nil
}

func taintID(t any) string {
	m, _ := t.(map[string]any)
	return fmt.Sprintf("%v:%v", m["key"], m["effect"])
}

// set puts a value into nested maps, which it makes.
func set(m map[string]any, v any, names ...string) {
	for _, name := range names[:len(names)-1] {
		next, is := m[name].(map[string]any)
		if !is {
			next = map[string]any{}
			m[name] = next
		}
		m = next
	}
	m[names[len(names)-1]] = v
}
