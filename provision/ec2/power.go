package ec2

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/provision"
)

// currentInstance finds currentInstance one instance that a command is about.
func (h *Host) currentInstance(ctx context.Context) (hostInventory, instance, error) {
	if err := h.begin(ctx); err != nil {
		return hostInventory{}, instance{}, err
	}
	w, err := h.observeInventory(ctx)
	if err != nil {
		return w, instance{}, err
	}
	living := w.alive()
	if len(living) == 0 {
		return w, instance{}, clierr.New(clierr.Refused, "lab %s has no host in %s", h.Ownership.Lab, h.Client.Region).WithNext("`labctl up` makes one.")
	}
	return w, living[0], h.adopt(living[0])
}

// Extend lets the host live until d after its present expiry, or after now when that is past, and
// returns the new expiry. The tags are set first: should the rest fail, the host ends earlier than it
// says, never later.
func (h *Host) Extend(ctx context.Context, sink event.Sink, d time.Duration) (time.Time, error) {
	_, i, err := h.currentInstance(ctx)
	if err != nil {
		return time.Time{}, err
	}
	if i.State != "running" {
		return time.Time{}, clierr.New(clierr.Refused, "instance %s is %s: its timer can be set only while it runs", i.ID, i.State).
			WithNext("Run `labctl start` first; it gives the host its whole time again.")
	}
	from := planOf(i.Tags).expires
	if now := h.now(); from.Before(now) {
		from = now
	}
	until := from.Add(d).Truncate(time.Second)
	return until, h.setExpiry(ctx, sink, i, until)
}

// setExpiry writes a new expiry on the instance and its group, then on the host.
func (h *Host) setExpiry(ctx context.Context, sink event.Sink, i instance, until time.Time) error {
	ids := []string{i.ID}
	if g := i.Tags[TagGroup]; g != "" {
		ids = append(ids, g)
	}
	err := h.act(ctx, "CreateTags", i.ID, func() error {
		_, err := h.Client.ec2.CreateTags(ctx, &sdk.CreateTagsInput{
			Resources: ids, Tags: []types.Tag{{Key: aws.String(TagExpires), Value: aws.String(stamp(until))}},
		})
		return err
	})
	if err != nil {
		return err
	}
	if err := h.remember(func(s *HostState) { s.Expires = until.UTC() }); err != nil {
		return err
	}
	if err := h.pin(ctx, sink); err != nil {
		return err
	}
	runner, err := h.login(ctx, sink)
	if err != nil {
		return err
	}
	if _, err := h.armHost(ctx, runner, until); err != nil {
		return fmt.Errorf("%s is to live until %s: %w", i.ID, stamp(until), err)
	}
	return nil
}

// Stop stops the instance: its disk stays, and is all that is paid for. The caller has stopped what runs
// on it. A host that is stopped is left as it is.
func (h *Host) Stop(ctx context.Context, sink event.Sink) error {
	_, i, err := h.currentInstance(ctx)
	if err != nil {
		return err
	}
	if i.State == "stopped" {
		return nil
	}
	if i.State != "stopping" {
		if i, err = h.awaitState(ctx, sink, i.ID, "running", h.Timing.Running); err != nil {
			return err
		}
		sink.Emit(event.Progress{Addr: h.Addr(), Step: "stopping " + i.ID, Expect: 40 * time.Second})
		err = h.act(ctx, "StopInstances", i.ID, func() error {
			_, err := h.Client.ec2.StopInstances(ctx, &sdk.StopInstancesInput{InstanceIds: []string{i.ID}})
			return err
		})
		if err != nil {
			return err
		}
		now := h.now()
		err = h.remember(func(s *HostState) { s.Paid, s.Stopped = CostOf(*s, now).Spent, now.UTC() })
		if err != nil {
			return err
		}
	}
	if i, err = h.awaitState(ctx, sink, i.ID, "stopped", h.Timing.Gone); err != nil {
		return err
	}
	if i.State != "stopped" {
		return clierr.New(clierr.Failed, "instance %s is %s: it was terminated while it was being stopped", i.ID, i.State).
			WithNext("`labctl up` makes a new host; what was on this one is gone.")
	}
	return nil
}

// leastLeft is what a host must have left to live when it is started, to be of any use.
const leastLeft = 15 * time.Minute

// Start starts a stopped instance and waits until its engine answers. When its time is up, or nearly,
// it gets its whole time again.
func (h *Host) Start(ctx context.Context, sink event.Sink) error {
	w, i, err := h.currentInstance(ctx)
	if err != nil {
		return err
	}
	from, err := h.networks(ctx)
	if err != nil {
		return err
	}
	h.warnOpen(sink, from)
	for _, g := range w.groups {
		if g.ID == i.Tags[TagGroup] {
			if err := h.convergeIngress(ctx, sink, g, from); err != nil {
				return err
			}
		}
	}
	if i, err = h.wake(ctx, sink, i); err != nil {
		return err
	}
	if err := h.adopt(i); err != nil {
		return err
	}
	if err := h.renew(ctx, sink, i); err != nil {
		return err
	}
	if err := h.boot(ctx, sink); err != nil {
		return err
	}
	sink.Emit(event.Milestone{Addr: h.Addr(), Name: provision.MilestoneEngine})
	return nil
}

// renew gives a host that was just started its whole time again when that is up, or nearly.
func (h *Host) renew(ctx context.Context, sink event.Sink, i instance) error {
	now := h.now()
	if h.State.Expires.Sub(now) >= leastLeft {
		return nil
	}
	until := now.Add(h.TTL).Truncate(time.Second)
	sink.Emit(event.Notice{Addr: h.Addr(), Text: "the host's time was up; it now has until " + stamp(until)})
	return h.setExpiry(ctx, sink, i, until)
}
