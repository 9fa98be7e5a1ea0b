package ec2

import (
	"context"
	"errors"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/provision"
)

// errAgain: the world has changed under this run; look at it anew.
var errAgain = errors.New("its host changed while it was being made")

// Apply implements provision.Resource. It adopts what is there, makes what is missing and waits until
// the host's engine answers.
func (h *Host) Apply(ctx context.Context, sink event.Sink) error {
	if err := h.begin(ctx); err != nil {
		return err
	}
	from, err := h.networks(ctx)
	if err != nil {
		return err
	}
	h.warnOpen(sink, from)
	h.launched = ""
	var inst instance
	// AWS may go on showing what is gone, and somebody else may be at work: each is over after a while.
	err = h.poll(ctx, h.Timing.Lag+h.Timing.Gone, "lab "+h.Ownership.Lab+" to be left alone by others", func() (bool, string, error) {
		var err error
		inst, err = h.converge(ctx, sink)
		if errors.Is(err, errAgain) {
			return false, err.Error(), nil
		}
		return err == nil, "", err
	})
	if err != nil {
		return err
	}
	return h.finish(ctx, sink, inst)
}

// finish waits for the host and announces it.
func (h *Host) finish(ctx context.Context, sink event.Sink, inst instance) error {
	if err := h.adopt(inst); err != nil {
		return err
	}
	if h.woken {
		if err := h.renew(ctx, sink, inst); err != nil {
			return err
		}
	}
	if err := h.boot(ctx, sink); err != nil {
		return h.failedBoot(ctx, sink, err)
	}
	sink.Emit(event.Milestone{Addr: h.Addr(), Name: provision.MilestoneEngine})
	return nil
}

// converge returns the one instance, running, in its group with its rules as declared.
func (h *Host) converge(ctx context.Context, sink event.Sink) (instance, error) {
	from, err := h.networks(ctx)
	if err != nil {
		return instance{}, err
	}
	w, err := h.observeInventory(ctx)
	if err != nil {
		return instance{}, err
	}
	if living := w.alive(); len(living) > 0 {
		return h.adoptInstance(ctx, sink, w, living)
	}
	p, err := h.prepare(ctx)
	if err != nil {
		return instance{}, err
	}
	for _, g := range w.foreign {
		if g.VPC == p.vpc {
			return instance{}, refuseForeign(g, h.marks())
		}
	}
	g, ok := w.groupIn(p.vpc)
	if !ok {
		return instance{}, h.makeGroup(ctx, sink, p)
	}
	if err := h.usable(ctx, sink, w, g, p); err != nil {
		return instance{}, err
	}
	if err := h.convergeIngress(ctx, sink, g, from); err != nil {
		return instance{}, overtaken(err)
	}
	return h.start(ctx, sink, p, g)
}

// start launches, and puts right what only shows after it.
func (h *Host) start(ctx context.Context, sink event.Sink, p *prepared, g group) (instance, error) {
	if err := h.remember(func(s *HostState) { s.GroupID = g.ID }); err != nil {
		return instance{}, err
	}
	inst, err := h.launch(ctx, sink, p, g)
	switch {
	case errorCode(err) == "IdempotentParameterMismatch":
		// Somebody has launched with this token and other parameters (another labctl, another
		// kubectl version). That instance is the host's, once it shows.
		return instance{}, h.clear(ctx, sink, g)
	case err != nil && inst.State == "terminated":
		// The token is used up. Without its group the next `up` begins anew.
		_, derr := h.deleteGroup(ctx, g.ID)
		return inst, errors.Join(err, derr)
	case err != nil:
		return inst, overtaken(err)
	}
	w, err := h.observeInventory(ctx)
	if err != nil {
		return inst, err
	}
	if living := w.alive(); len(living) > 1 {
		return h.adoptInstance(ctx, sink, w, living)
	}
	return inst, nil
}

// overtaken recognises that a `down`, or an `up` that began anew, has removed the group meanwhile. AWS
// says the same of a group that it does not know everywhere yet.
func overtaken(err error) error {
	if code := errorCode(err); code == "InvalidGroup.NotFound" || code == "InvalidGroupId.NotFound" {
		return errAgain
	}
	return err
}
