package ec2

import (
	"context"
	"fmt"
	"time"

	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/event"
)

// staleAfter is how old a group without an instance may be before it counts as left over from an `up`
// that died. Until then another `up` may be about to launch in it.
const staleAfter = 10 * time.Minute

// makeGroup makes the anchor and waits until AWS shows it.
func (h *Host) makeGroup(ctx context.Context, sink event.Sink, p *prepared) error {
	for _, text := range p.warnings {
		sink.Emit(event.Notice{Addr: h.Addr(), Text: text, Warning: true})
	}
	h.announcePrice(sink, p)
	sink.Emit(event.Progress{Addr: h.Addr(), Step: "creating the security group"})
	h.warnClock(sink)
	now := h.now()
	plan := launchPlan{made: now, expires: now.Add(h.TTL), spec: h.spec(), image: p.image.ID, key: fingerprint(h.PublicKey)}
	id, _, err := h.createGroup(ctx, p.vpc, plan)
	if err != nil {
		return err
	}
	if err := h.remember(func(s *HostState) { *s = HostState{Name: s.Name, Region: s.Region, Account: s.Account, GroupID: id} }); err != nil {
		return err
	}
	err = h.poll(ctx, h.Timing.Lag, "the security group to be shown by AWS", func() (bool, string, error) {
		w, err := h.observeInventory(ctx)
		if err != nil {
			return false, "", err
		}
		if len(w.foreign) > 0 && len(w.groups) == 0 {
			return false, "", refuseForeign(w.foreign[0], h.marks())
		}
		_, ok := w.groupIn(p.vpc)
		return ok, w.String(), nil
	})
	if err != nil {
		return err
	}
	return errAgain
}

func (h *Host) announcePrice(sink event.Sink, p *prepared) {
	price := p.candidates[0].Price
	if price.Hour() == 0 {
		return
	}
	text := fmt.Sprintf("%s in %s costs %s with disk and address (prices of %s); it ends itself after %s, so at most %s",
		p.candidates[0].Type, h.Client.Region, price, PricesAsOf, count.Duration(h.TTL), dollars(price.Hour()*h.TTL.Hours()))
	if price.Surplus > 0 {
		text += fmt.Sprintf(", and up to %s/h more if its processors are busy for hours", money(price.Surplus))
	}
	sink.Emit(event.Notice{Addr: h.Addr(), Text: text})
}

func dollars(usd float64) string { return fmt.Sprintf("$%.2f", usd) }

// usable makes sure that an instance can be launched in a group without one: it was made for what is
// declared now, by a directory that has its key, not long ago, and its tokens are unused.
func (h *Host) usable(ctx context.Context, sink event.Sink, w hostInventory, g group, p *prepared) error {
	plan := planOf(g.Tags)
	age := h.now().Sub(plan.made)
	stale := age > staleAfter
	switch {
	case len(w.dead(g.ID)) > 0: // asking with its token again would return the instance that has ended
	case plan.key != fingerprint(h.PublicKey) && !stale:
		if err := h.mayReplace(ctx, "security group "+g.ID, plan); err != nil {
			return err
		}
	case stale, plan.key != fingerprint(h.PublicKey), plan.spec != h.spec():
	case plan.image != p.image.ID:
		// A newer image was published meanwhile, or the lab file's ami- was changed. The group says
		// what to ask for; the root device is the image's.
		img, err := h.Client.image(ctx, plan.image, "")
		if err != nil {
			return err
		}
		p.rootDevice = img.RootDevice
		return nil
	default:
		p.rootDevice = p.image.RootDevice
		return nil
	}
	return h.clear(ctx, sink, g)
}

// clear deletes a group that no launch may use any more. While something is in it that AWS does not
// show yet, it stays.
func (h *Host) clear(ctx context.Context, sink event.Sink, g group) error {
	sink.Emit(event.Progress{Addr: h.Addr(), Step: "removing the used security group " + g.ID})
	var living bool
	err := h.poll(ctx, max(h.Timing.Lag, h.Timing.Gone), "security group "+g.ID+" to be empty", func() (bool, string, error) {
		end, err := h.deleteGroup(ctx, g.ID)
		if end != groupInUse || err != nil {
			return end != groupInUse, "", err
		}
		w, err := h.observeInventory(ctx)
		living = len(w.alive()) > 0
		return living, w.String(), err
	})
	if err != nil {
		return err
	}
	if !living {
		// AWS may go on showing it; a launch in it would then fail, and come back here.
		if err := h.remember(func(s *HostState) { s.GroupID = "" }); err != nil {
			return err
		}
	}
	return errAgain
}
