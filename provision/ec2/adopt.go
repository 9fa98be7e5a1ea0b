package ec2

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/state"
)

// adoptInstance takes the instance that is there, ends those that a race has left over, and replaces one that
// is not as declared.
func (h *Host) adoptInstance(ctx context.Context, sink event.Sink, w hostInventory, living []instance) (instance, error) {
	inst := living[0]
	for _, extra := range living[1:] {
		sink.Emit(event.Notice{Addr: h.Addr(), Warning: true, Text: fmt.Sprintf("two `up` at once have launched %s as well as %s; it is terminated", extra.ID, inst.ID)})
		if err := h.terminate(ctx, extra.ID); err != nil {
			return inst, err
		}
	}
	if why := h.mismatch(inst); why != "" {
		// What would make the new one fail is found while the old one is there.
		if _, err := h.prepare(ctx); err != nil {
			return inst, err
		}
		if err := h.mayReplaceDrifted(ctx, inst.ID, why); err != nil {
			return inst, err
		}
		sink.Emit(event.Progress{Addr: h.Addr(), Step: "replacing " + inst.ID + ": " + why})
		return inst, h.replace(ctx, sink, living)
	}
	if planOf(inst.Tags).key != fingerprint(h.PublicKey) {
		if err := h.mayReplace(ctx, "instance "+inst.ID, planOf(inst.Tags)); err != nil {
			return inst, err
		}
		return inst, h.replace(ctx, sink, living)
	}
	if err := h.reallyRuns(ctx, inst); err != nil {
		return inst, err
	}
	var err error
	if inst, err = h.wake(ctx, sink, inst); err != nil {
		return inst, err
	}
	i := slices.IndexFunc(w.groups, func(g group) bool { return slices.Contains(inst.Groups, g.ID) })
	if i < 0 && h.now().Sub(inst.Launched) < h.Timing.Lag {
		return inst, errAgain // AWS shows the instance before its group
	}
	if i < 0 {
		return inst, clierr.New(clierr.Failed, "instance %s is not in the security group of lab %s any more", inst.ID, h.Ownership.Lab).
			WithNext("Put it back with the AWS console, or run `labctl down %s` and then `labctl up`.", h.Ownership.Lab)
	}
	from, err := h.networks(ctx)
	if err != nil {
		return inst, err
	}
	return inst, h.convergeIngress(ctx, sink, w.groups[i], from)
}

// reallyRuns makes sure that an instance which this machine has not seen ready is not about to end: a
// `down` that was killed may have ended it, and AWS may go on showing it as running. To start an instance
// that runs does nothing; one that is ending cannot be started, whatever is shown.
func (h *Host) reallyRuns(ctx context.Context, inst instance) error {
	if inst.State != "running" || h.State.InstanceID == inst.ID && h.State.Ready && !h.toldToEnd(inst.ID) {
		return nil
	}
	err := h.startInstance(ctx, inst.ID)
	if code := errorCode(err); code == "IncorrectInstanceState" || notFound(err) {
		return errAgain
	}
	return err
}

// toldToEnd tells whether the journal holds the ending of an instance, so short a time ago that AWS may
// still show it as it was.
func (h *Host) toldToEnd(id string) bool {
	if h.Journal == nil {
		return false
	}
	records, _ := h.Journal.Records() // what can be read of a damaged one suffices
	return slices.ContainsFunc(records, func(r state.Record) bool {
		return r.Verb == "ec2 TerminateInstances" && r.Object == id && r.Addr == h.Addr() && h.Clock.Now().Sub(r.Time) < h.Timing.Lag
	})
}

func (h *Host) startInstance(ctx context.Context, id string) error {
	return h.act(ctx, "StartInstances", id, func() error {
		_, err := h.Client.ec2.StartInstances(ctx, &sdk.StartInstancesInput{InstanceIds: []string{id}})
		return err
	})
}

// mismatch says in which way an instance is not as declared; "" when it is.
func (h *Host) mismatch(i instance) string {
	if spec := planOf(i.Tags).spec; spec != h.spec() {
		return fmt.Sprintf("it was made with %s, and the lab file says %s", spec, h.spec())
	}
	if !slices.Contains(h.Spec.InstanceTypes, i.Type) {
		return fmt.Sprintf("it is a %s, and the lab file says %v", i.Type, h.Spec.InstanceTypes)
	}
	return ""
}

// mayReplace asks before the host of another labctl directory is removed.
func (h *Host) mayReplace(ctx context.Context, what string, plan launchPlan) error {
	text := fmt.Sprintf("lab %s has a host already: %s, made at %s from another machine or another LABCTL_HOME, whose SSH key is not here",
		h.Ownership.Lab, what, plan.made.UTC().Format(time.RFC3339))
	yes, err := h.confirm(ctx, Question{Kind: AskReplace, Text: text + ". Remove it, with everything on it, and make a new one?"})
	if err != nil {
		return err
	}
	if !yes {
		return clierr.New(clierr.Refused, "%s", text).
			WithNext("Go on there, or remove it with `labctl down %s` and run `labctl up` again, or use --name for a lab of your own.", h.Ownership.Lab)
	}
	return nil
}

// mayReplaceDrifted asks before a host that is not as the lab file says is removed.
func (h *Host) mayReplaceDrifted(ctx context.Context, id, why string) error {
	text := fmt.Sprintf("the host of lab %s is not as declared, and cannot be made so: instance %s: %s", h.Ownership.Lab, id, why)
	yes, err := h.confirm(ctx, Question{Kind: AskReplace, Text: text + ". Remove it, with everything on it, and make a new one?"})
	if err != nil {
		return err
	}
	if !yes {
		return clierr.New(clierr.Refused, "%s", text).
			WithNext("`labctl up --recreate` replaces it, and what was done on it is lost. Or put the lab file back as it was.")
	}
	return nil
}

// replace removes the instances that were asked about, so that the next round makes a new one.
func (h *Host) replace(ctx context.Context, sink event.Sink, living []instance) error {
	var ids []string
	for _, i := range living {
		ids = append(ids, i.ID)
	}
	if err := h.destroyKnown(ctx, sink, ids...); err != nil && !errors.Is(err, ErrChanged) {
		return err
	}
	return errAgain
}

// destroyKnown is Destroy of a host with these instances. When another is shown, which somebody has launched meanwhile,
// it stops there, and the error wraps ErrChanged.
func (h *Host) destroyKnown(ctx context.Context, sink event.Sink, ids ...string) error {
	return h.destroy(ctx, &removal{h: h, sink: sink, changed: func(w hostInventory) string {
		for _, i := range w.alive() {
			if !slices.Contains(ids, i.ID) {
				return "instance " + i.ID + " is new"
			}
		}
		return ""
	}})
}

// wake starts an instance that is stopped.
func (h *Host) wake(ctx context.Context, sink event.Sink, inst instance) (instance, error) {
	if inst.State == "stopping" {
		var err error
		if inst, err = h.awaitState(ctx, sink, inst.ID, "stopped", h.Timing.Gone); err != nil {
			return inst, err
		}
	}
	if inst.State == "stopped" {
		if err := h.startInstance(ctx, inst.ID); err != nil {
			return inst, err
		}
		h.woken = true
	}
	if inst.State != "running" || inst.Public == "" && inst.Private == "" {
		var err error
		if inst, err = h.awaitState(ctx, sink, inst.ID, "running", h.Timing.Running); err != nil {
			return inst, err
		}
	}
	if inst.State != "running" {
		return inst, errAgain
	}
	return inst, nil
}

// terminate ends an instance; one that has ended is no error.
func (h *Host) terminate(ctx context.Context, id string) error {
	return h.act(ctx, "TerminateInstances", id, func() error {
		_, err := h.Client.ec2.TerminateInstances(ctx, &sdk.TerminateInstancesInput{InstanceIds: []string{id}})
		if notFound(err) {
			return nil
		}
		return err
	})
}
