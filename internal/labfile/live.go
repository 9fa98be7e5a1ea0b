package labfile

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Object gives live objects a name, so that conditions on others can compare them: live.NAME.
type Object struct {
	Name string
	Objects
	Range hcl.Range
}

// maxLive bounds how many object blocks a scenario has.
const maxLive = 20

// liveObjects decodes the object blocks of a scenario.
func (b *block) liveObjects() (all []*Object) {
	for _, at := range b.each("object") {
		if !b.labels(at, "name") {
			continue
		}
		name := at.Labels[0]
		switch {
		case !hclsyntax.ValidIdentifier(name):
			b.report(at.LabelRanges[0], "Invalid name", "The object %q must be a word of letters, digits and underscores, because conditions call it live.NAME.", name)
			continue
		case slices.ContainsFunc(all, func(o *Object) bool { return o.Name == name }):
			b.report(header(at), "Duplicate object", "The object %q is declared twice.", name)
			continue
		case len(all) == maxLive:
			b.report(header(at), "Too many objects", "A scenario has at most %d.", maxLive)
			return all
		}
		inner := b.open(at.Body, fmt.Sprintf("object %q", name), header(at), b.scope, shape{
			attributes: []string{"kind", "name", "selector", "namespace"}, required: []string{"kind"},
		})
		o := &Object{Name: name, Range: header(at)}
		o.Objects, _ = inner.objects()
		all = append(all, o)
	}
	return all
}

// liveOf returns the names of the object blocks that expressions refer to, sorted. It reports a reference that names none.
func (b *block) liveOf(expressions ...hcl.Expression) (names []string) {
	for _, expr := range expressions {
		if expr == nil {
			continue
		}
		for _, ref := range expr.Variables() {
			if ref.RootName() != "live" {
				continue
			}
			if name, is := memberName(ref); is {
				names = append(names, name)
			} else {
				b.report(ref.SourceRange(), "Unknown object", "Call a live object by its name: live.NAME.")
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// liveScope is what conditions know of live objects before any is seen.
func liveScope(objects []*Object) map[string]cty.Value {
	known := map[string]cty.Value{}
	for _, o := range objects {
		known[o.Name] = cty.DynamicVal
	}
	return known
}
