package scenarios

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

// withLive adds to what a condition's expressions are evaluated with the objects that it compares with: live.NAME is the
// one of that name, or a list of those that a selector finds. missing says which is not there; the error, why it cannot
// be told.
func (e *evaluator) withLive(c *labfile.Condition, base *hcl.EvalContext) (with *hcl.EvalContext, missing string, err error) {
	if len(c.Live) == 0 {
		return base, "", nil
	}
	values := map[string]cty.Value{}
	for _, o := range e.compared(c) {
		from := objects(o.Objects)
		u := e.snapshot[from.query()]
		switch {
		case isUnknownKind(u.Err) && o.Selector != "":
			return nil, "", vacuous(u.Err)
		case isUnknownKind(u.Err):
			missing = u.Err.Error()
			continue
		case u.Err != nil:
			return nil, "", u.Err
		case !u.Synced:
			return nil, "", fmt.Errorf("%s: not seen yet", kube.Query(from))
		}
		found := []cty.Value{}
		for _, obj := range e.liveObjects(o) {
			if why := stale(obj, e.nodes); why != "" && looksAtStatus(c.Holds, "live."+o.Name) {
				if e.nodesErr != nil {
					return nil, "", e.nodesErr
				}
				return nil, "", fmt.Errorf("%s", why)
			}
			found = append(found, toValue(obj.Object))
		}
		switch {
		case o.Selector != "":
			values[o.Name] = cty.TupleVal(found)
		case len(found) == 0:
			missing = "there is no " + from.String()
		default:
			values[o.Name] = found[0]
		}
	}
	with = base.NewChild()
	with.Variables = map[string]cty.Value{"live": cty.ObjectVal(values)}
	return with, missing, nil
}

// compared are the object blocks that a condition's expressions refer to.
func (e *evaluator) compared(c *labfile.Condition) (all []*labfile.Object) {
	for _, o := range e.live {
		if slices.Contains(c.Live, o.Name) {
			all = append(all, o)
		}
	}
	return all
}

// liveObjects are the objects of a block that are there: what is being deleted is not.
func (e *evaluator) liveObjects(o *labfile.Object) []*unstructured.Unstructured {
	return notProbes(alive(e.snapshot[objects(o.Objects).query()].Objects))
}

// outsideLive is outside for the objects that a condition compares with.
func (e *evaluator) outsideLive(c *labfile.Condition) string {
	for _, o := range e.compared(c) {
		if !looksAtStatus(c.Holds, "live."+o.Name) {
			continue
		}
		for _, obj := range e.liveObjects(o) {
			if why := outside(obj); why != "" {
				return why
			}
		}
	}
	return ""
}
