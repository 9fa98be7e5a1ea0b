package scenarios

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
)

// Destroy removes what belongs to the scenario and its record, and returns when it has seen that it is gone. Of a
// task, which seeds nothing, that is what the learner has built of what its conditions name; where the record of
// what was there before is lost, that is left, and said.
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
	built, unsure, err := sc.built(ctx, client, a)
	if err != nil {
		return err
	}
	sink.Emit(event.Progress{Addr: r.Addr(), Step: "removing its objects"})
	if a.record != nil && !a.record.Removing {
		a.record.Removing, a.kept = true, true
		if err := writeRecord(ctx, client, sc.lab, sc.s.Name, a.record); err != nil {
			return err
		}
	}
	owned, err := sc.ownedObjects(ctx, client, a.record, built)
	if err != nil {
		return err
	}
	if err := client.DeleteAll(ctx, owned.queries, owned.has); err != nil {
		return err
	}
	if err := sc.unpatch(ctx, client); err != nil {
		return err
	}
	r.sum("gone")
	if len(unsure) > 0 {
		var refs []string
		for _, o := range unsure {
			refs = append(refs, refOf(o))
		}
		left := fmt.Sprintf("left alone, since nobody noted whether it was there before the task: %s", strings.Join(refs, ", "))
		r.sum("%s", left)
		sink.Emit(event.Progress{Addr: r.Addr(), Step: left})
	}
	if !a.kept {
		return nil
	}
	return dropRecord(ctx, client, sc.lab, sc.s.Name)
}
