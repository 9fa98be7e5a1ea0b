package ec2

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/state"
)

// Destroy implements provision.Resource. It ends every instance with the host's marks, wherever in the
// region, waits until AWS shows them as terminated, and deletes their group, which AWS allows only
// when nothing is left in it. It needs neither the state nor the lab file.
func (h *Host) Destroy(ctx context.Context, sink event.Sink) error {
	return h.destroy(ctx, &removal{h: h, sink: sink})
}

func (h *Host) destroy(ctx context.Context, r *removal) error {
	if err := h.begin(ctx); err != nil {
		return err
	}
	r.began, r.ended = h.Clock.Now(), map[string]bool{}
	err := h.poll(ctx, h.Timing.Gone, "everything of lab "+h.Ownership.Lab+" in "+h.Client.Region+" to be gone", func() (bool, string, error) {
		done, err := r.round(ctx)
		return done, r.left, err
	})
	h.removed = append(h.removed, r.receipt...)
	if errors.Is(err, ErrChanged) {
		return err
	}
	if err != nil {
		return r.report(err)
	}
	return h.remember(func(s *HostState) { *s = HostState{Name: s.Name, Region: s.Region, Account: s.Account} })
}

// removal is one Destroy under way.
type removal struct {
	h    *Host
	sink event.Sink
	only *Found // nothing but this; nil: all that has the marks
	// changed says at each look why the removal must not go on; nil: nothing keeps it.
	changed func(hostInventory) string
	began   time.Time
	ended   map[string]bool // instances that were told to end
	proven  bool            // a group was deleted, so nothing was left in it
	promise bool            // AWS has a group of the name, which it may not show yet
	disks   []volume        // that went with the instances
	receipt []string
	left    string
}

// round looks, takes the next step with everything that is there, and tells whether all is gone.
func (r *removal) round(ctx context.Context) (bool, error) {
	w, err := r.h.observeInventory(ctx)
	if err != nil {
		return false, err
	}
	if r.changed != nil {
		if why := r.changed(w); why != "" {
			return false, errChanged(why)
		}
	}
	r.left = w.String()
	waiting, err := r.end(ctx, w)
	if err != nil || waiting {
		return false, err
	}
	if len(w.groups) > 0 {
		return false, r.drop(ctx, w)
	}
	if done, err := r.settled(ctx); !done || err != nil {
		return false, err
	}
	return r.noVolumes(ctx)
}

// end tells the instances to end that have not been told yet, and says whether any is still there.
func (r *removal) end(ctx context.Context, w hostInventory) (waiting bool, err error) {
	for _, i := range w.instances {
		if i.State == "terminated" {
			if r.ended[i.ID] && !slices.Contains(r.receipt, "instance "+i.ID) {
				r.receipt = append(r.receipt, "instance "+i.ID)
				r.sink.Emit(event.Progress{Addr: r.h.Addr(), Step: "instance " + i.ID + " is terminated"})
			}
			continue
		}
		waiting = true
		if i.State == "shutting-down" || r.ended[i.ID] {
			r.ended[i.ID] = true
			continue
		}
		if r.disks == nil {
			r.disks, _ = r.h.Client.volumes(ctx, tagFilters(r.h.marks())...) // for the receipt alone
		}
		r.sink.Emit(event.Progress{Addr: r.h.Addr(), Step: "terminating " + i.ID, Expect: 40 * time.Second})
		if err := r.h.terminate(ctx, i.ID); err != nil {
			return true, err
		}
		r.ended[i.ID] = true
	}
	return waiting, nil
}

// drop deletes the groups. One that AWS says is in use stays until the next round: an instance in it may
// not be shown yet. What is not ours in it is named when the time is up.
func (r *removal) drop(ctx context.Context, w hostInventory) error {
	for _, g := range w.groups {
		r.sink.Emit(event.Progress{Addr: r.h.Addr(), Step: "deleting security group " + g.ID})
		end, err := r.h.deleteGroup(ctx, g.ID)
		if err != nil {
			return err
		}
		if end != groupInUse {
			// One that AWS does not know was deleted before, and proves nothing about what came after it.
			r.proven = r.proven || end == groupDeleted
			r.receipt = append(r.receipt, "security group "+g.ID)
			continue
		}
		users, err := r.h.Client.users(ctx, g.ID)
		if err != nil {
			return err
		}
		r.left = "security group " + g.ID + ", in use by " + strings.Join(append(users, "what AWS does not show yet")[:max(1, len(users))], ", ")
	}
	return nil
}

// settled tells whether "nothing is shown" may be taken for "nothing is there". A group that was deleted
// proves it. Where the journal says that something was made in the last minutes, AWS may not show it
// yet, and the group's name, which can be taken only once, is asked for: then there is a group to
// delete, whoever made it. Otherwise it must stay so for a while.
func (r *removal) settled(ctx context.Context) (bool, error) {
	h := r.h
	if r.proven || r.only != nil {
		// Of what was found no group is shown any more.
		return true, nil
	}
	if !r.promise {
		young, err := h.young()
		if err != nil {
			return false, err
		}
		if !young {
			return h.Clock.Now().Sub(r.began) >= h.Timing.ConsistencyWindow, nil
		}
	}
	r.left = "a security group that AWS knows and does not show yet"
	vpc, _, err := h.Client.defaultNetwork(ctx)
	if err != nil {
		return false, err
	}
	// Asked for in every round: somebody else may delete meanwhile what was there in the last one.
	now := h.now()
	_, _, err = h.createGroup(ctx, vpc, launchPlan{made: now, expires: now, spec: h.spec()})
	r.promise = true
	return false, err
}

// young tells whether the journal knows of something that was made so short a time ago that AWS may not
// show it, and not removed since.
func (h *Host) young() (bool, error) {
	if h.Journal == nil {
		return false, nil
	}
	records, _ := h.Journal.Records() // what can be read of a damaged one suffices
	young := false
	for _, rec := range records {
		switch {
		case rec.Addr != h.Addr():
		case rec.Phase == state.Begin && (rec.Verb == "ec2 CreateSecurityGroup" || rec.Verb == "ec2 RunInstances"):
			young = h.Clock.Now().Sub(rec.Time) < h.Timing.Lag
		case rec.Phase == state.Done && rec.Verb == "ec2 DeleteSecurityGroup":
			young = false
		}
	}
	return young, nil
}

// noVolumes waits for the disks, which end with their instances.
func (r *removal) noVolumes(ctx context.Context) (bool, error) {
	if len(r.ended) == 0 {
		return true, nil
	}
	left, err := r.h.Client.volumes(ctx, tagFilters(r.h.marks())...)
	if err != nil {
		return false, err
	}
	left = slices.DeleteFunc(left, func(v volume) bool { return r.only != nil && !slices.Contains(r.only.Volumes, v.id) })
	r.left = strings.Join(named(left), ", ")
	if len(left) == 0 {
		r.receipt = append(r.receipt, named(r.disks)...)
	}
	return len(left) == 0, nil
}

// named says which disks they are, as a receipt does.
func named(volumes []volume) []string {
	var all []string
	for _, v := range volumes {
		all = append(all, "volume "+v.id)
	}
	return all
}

// report says what is left when not everything could be removed.
func (r *removal) report(err error) error {
	if r.left == "nothing" || r.left == "" {
		return err
	}
	next := clierr.NextOf(err)
	if next == "" {
		next = fmt.Sprintf("Run `labctl down %s` again; it goes on from here.", r.h.Ownership.Lab)
	}
	return clierr.New(clierr.Leftover, "%w; left in %s: %s", err, r.h.Client.Region, r.left).WithNext("%s", next)
}
