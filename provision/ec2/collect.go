package ec2

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/labctl/labctl/internal/event"
)

// ErrChanged is wrapped by Collect's error when what is there is not what was found any more.
var ErrChanged = errors.New("it has changed since it was found")

// Collect removes what Find has found of an expired host: those instances, that group, those disks, by their ids.
// Before each act it looks again, and when anything is new, was started, stopped or given more time since, it
// stops there and touches nothing more: somebody is at work with the lab.
func (h *Host) Collect(ctx context.Context, sink event.Sink, f Found) error {
	r := &removal{h: h, sink: sink, only: &f}
	r.changed = func(w hostInventory) string { return f.changed(w, r.ended, h.now()) }
	return h.destroy(ctx, r)
}

// changed says in which way a look shows something else than was found; "" when it does not. What the removal
// itself has ended is no change.
func (f *Found) changed(w hostInventory, ended map[string]bool, now time.Time) string {
	for _, g := range w.groups {
		switch expires := planOf(g.Tags).expires; {
		case g.ID != f.GroupID:
			return "security group " + g.ID + " is new"
		case now.Before(expires):
			return "it has until " + stamp(expires)
		}
	}
	for _, i := range w.alive() {
		at := slices.IndexFunc(f.seen, func(s instance) bool { return s.ID == i.ID })
		switch expires := planOf(i.Tags).expires; {
		case at < 0:
			return "instance " + i.ID + " is new"
		case ended[i.ID]:
		case now.Before(expires):
			return "instance " + i.ID + " has until " + stamp(expires)
		case i.Launched.After(f.seen[at].Launched):
			return "instance " + i.ID + " was started again"
		case halted(i) && !halted(f.seen[at]):
			return "instance " + i.ID + " was stopped"
		}
	}
	return ""
}

func halted(i instance) bool { return i.State == "stopped" || i.State == "stopping" }

func errChanged(why string) error { return fmt.Errorf("%w: %s", ErrChanged, why) }
