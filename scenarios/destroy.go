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
	if r.s.TakesAPI() {
		if err := sc.giveAPIBack(ctx, client, sink); err != nil {
			return err
		}
	}
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
		if err := sc.writeRecord(ctx, client, a.record); err != nil {
			return err
		}
	}
	if err := sc.restoreNodes(ctx, client, sink); err != nil {
		return err
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
	return sc.dropRecord(ctx, client)
}

// giveAPIBack undoes what a scenario has done to nodes, before anything is asked of the API server, which may be what it
// has taken away.
func (sc *compiled) giveAPIBack(ctx context.Context, client *kube.Client, sink event.Sink) error {
	a := sc.assessNow(ctx, client)
	if a.trouble != nil {
		return a.trouble
	}
	if a.kept && a.record != nil && !a.record.Removing {
		a.record.Removing = true
		if err := sc.writeRecord(ctx, client, a.record); err != nil {
			return err
		}
	}
	return sc.restoreNodes(ctx, client, sink)
}
