package scenarios

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/text"
	"github.com/labctl/labctl/internal/untrusted"
)

// none answers a condition that asks for no object to be there, or for none that holds. One object that is as none may be
// settles it; else it cannot be told where it cannot be told of one.
func (e *evaluator) none(c *labfile.Condition, objs []*unstructured.Unstructured, base *hcl.EvalContext) (Verdict, string) {
	doubt := ""
	for _, obj := range objs {
		if c.HoldsSource == "true" {
			going := ""
			if obj.GetDeletionTimestamp() != nil {
				going = ", and is being deleted"
			}
			return DoesNotHold, refOf(obj) + " is there" + going
		}
		ctx := base.NewChild()
		ctx.Variables = map[string]cty.Value{"self": toValue(obj.Object)}
		is, _ := truth(c.Holds, ctx)
		if why := e.doubtful(c, obj, ctx, is); why != "" {
			doubt = why
		} else if is {
			return DoesNotHold, refOf(obj) + " is as it must not be: " + text.Shorten(untrusted.Line(c.HoldsSource), maxInSentence)
		}
	}
	if doubt != "" {
		return Inconclusive, doubt
	}
	return Holds, ""
}

// doubtful says why it cannot be told whether an object is as none may be; is: it looks so.
func (e *evaluator) doubtful(c *labfile.Condition, obj *unstructured.Unstructured, ctx *hcl.EvalContext, is bool) string {
	status := looksAtStatus(c.Holds, "self")
	if why := stale(obj, e.nodes); status && why != "" {
		if e.nodesErr != nil {
			return e.nodesErr.Error()
		}
		return why
	}
	if c.InconclusiveIf != nil {
		if fault, _ := truth(c.InconclusiveIf, ctx); fault {
			return refOf(obj) + " shows a fault outside the exercise"
		}
	}
	if !is {
		return ""
	}
	if why := outside(obj); status && why != "" {
		return why
	}
	return e.outsideLive(c)
}

// vacuous says that none of a kind that the cluster does not know proves nothing: the kind may be misspelt.
func vacuous(unknown error) error {
	return fmt.Errorf("%w, so that there is none of it says nothing", unknown)
}
