package scenarios

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

// step is a step of a seed with its manifests rendered.
type step struct {
	*labfile.Step
	objs, replacing []*unstructured.Unstructured
}

// takeSteps takes the steps of the seed, one after the other. Each is on record when it was taken, so that a run that was cut
// short goes on with the one that was not: to replace, to patch and to wait again changes nothing that was done.
func (sc *compiled) takeSteps(ctx context.Context, c *kube.Client, r *record, sink event.Sink) error {
	for i, s := range sc.steps {
		if err := sc.makeAll(ctx, c, r, s.objs); err != nil {
			return err
		}
		if i >= r.Steps {
			sink.Emit(event.Progress{Addr: "scenario." + sc.s.Name, Step: "step " + s.Name})
		}
		for _, obj := range s.replacing {
			live, err := c.Get(ctx, kube.QualifiedKind(obj), seedQuery(obj).Namespace, obj.GetName())
			if i >= r.Steps {
				live, err = c.Replace(ctx, obj, sc.marks())
			}
			if err != nil {
				return err
			}
			r.Objects[key(obj)] = seededFrom(live)
		}
		if i < r.Steps {
			continue
		}
		for _, p := range s.Patches {
			if err := sc.patch(ctx, c, p); err != nil {
				return err
			}
		}
		if slices.ContainsFunc(s.Nodes, (*labfile.NodeAction).TakesAPI) {
			// It is the last thing that is done, and what has not been recorded by then could not be made any more.
			r.Steps, r.Complete = i+1, true
			if err := sc.writeRecord(ctx, c, r); err != nil {
				return err
			}
		}
		if err := sc.act(ctx, s.Nodes); err != nil {
			return err
		}
		if err := sc.await(ctx, c, s, r); err != nil {
			return err
		}
		r.Steps = i + 1
		if err := sc.writeRecord(ctx, c, r); err != nil {
			return err
		}
	}
	return nil
}

// await returns when the conditions of a step hold. When ctx ends, the error says which does not, and what was seen.
func (sc *compiled) await(ctx context.Context, c *kube.Client, s step, r *record) error {
	if len(s.Until) == 0 {
		return nil
	}
	queries := []kube.Query{nodesQuery}
	for _, condition := range s.Until {
		from, is := sourceOf(condition).(objects)
		if !is {
			return fmt.Errorf("%s: a step waits for objects alone", condition.Range)
		}
		queries = append(queries, from.query())
	}
	for _, o := range sc.s.Live {
		queries = append(queries, kube.Query(o.Objects))
	}
	var last *Finding
	err := c.Until(ctx, queries, func(snapshot kube.Snapshot) kube.Decision {
		found := sc.evaluator(snapshot, &assessment{record: r, learned: sightings{}}, false).findAll("until", s.Until)
		last = unmet(found)
		return kube.Decision{Done: last == nil}
	})
	if err != nil && last != nil {
		class := clierr.Failed
		if last.Verdict == Inconclusive {
			class = clierr.Inconclusive
		}
		return clierr.New(class, "step %s waits for this: %s; last seen: %s (%w)", s.Name, last.Says, last.Reason, err)
	}
	return err
}
