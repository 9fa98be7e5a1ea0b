package scenarios

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

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
	for _, o := range e.live {
		if !slices.Contains(c.Live, o.Name) {
			continue
		}
		from := objects(o.Objects)
		u := e.snapshot[from.query()]
		switch {
		case u.Err != nil && !isUnknownKind(u.Err):
			return nil, "", u.Err
		case !u.Synced:
			return nil, "", fmt.Errorf("%s: not seen yet", kube.Query(from))
		}
		found := []cty.Value{}
		for _, obj := range notProbes(alive(u.Objects)) {
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
