package ec2

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/provision"
)

// Observe implements provision.Resource. It only reads. Where the host key is known and Connect is set
// it also asks the host itself.
func (h *Host) Observe(ctx context.Context) (provision.Observation, error) {
	if err := h.checkMarks(); err != nil {
		return provision.Observation{}, err
	}
	var (
		wg         sync.WaitGroup
		w          hostInventory
		from       []netip.Prefix
		aerr, werr error
		ferr       error
	)
	wg.Go(func() { _, aerr = h.checkAccount(ctx) })
	wg.Go(func() { w, werr = h.observeInventory(ctx) })
	wg.Go(func() { from, ferr = h.networks(ctx) })
	wg.Wait()
	for _, err := range []error{aerr, werr} {
		if err != nil {
			return provision.Observation{}, err
		}
	}
	living := w.alive()
	if len(living) == 0 {
		return h.observeNothing(w)
	}
	if ferr != nil {
		return provision.Observation{}, ferr
	}
	return h.observeInstance(ctx, w, living, from)
}

func (h *Host) observeNothing(w hostInventory) (provision.Observation, error) {
	o := provision.Observation{State: provision.Absent, Reason: "no instance", Action: "launch " + h.offers() + " in " + h.Client.Region}
	if len(w.groups) == 0 && len(w.foreign) > 0 {
		return provision.Observation{}, refuseForeign(w.foreign[0], h.marks())
	}
	for _, g := range w.groups {
		o.Evidence = append(o.Evidence, "security group "+g.ID)
		o.Reason = "its security group is there, and no instance"
		for _, i := range w.dead(g.ID) {
			o.Reason = fmt.Sprintf("instance %s has ended", i.ID)
			if expires := planOf(g.Tags).expires; !h.now().Before(expires) {
				o.Reason += ", its time was up at " + stamp(expires)
			}
			o.Evidence = append(o.Evidence, fmt.Sprintf("instance %s: %s: %s", i.ID, i.State, i.Reason))
		}
	}
	return o, nil
}

// offers lists the declared types with what they cost with their disk and address.
func (h *Host) offers() string {
	var all []string
	for _, name := range h.Spec.InstanceTypes {
		price, known := PriceOf(h.Client.Region, name, h.Spec.DiskGiB)
		if !known {
			all = append(all, name+" at a price that labctl does not know")
			continue
		}
		all = append(all, name+" for "+price.String())
	}
	return strings.Join(all, " or ") + " (prices of " + PricesAsOf + ")"
}

func (h *Host) observeInstance(ctx context.Context, w hostInventory, living []instance, from []netip.Prefix) (provision.Observation, error) {
	i := living[0]
	evidence := []string{fmt.Sprintf("instance %s: %s, %s in %s, at %s, until %s", i.ID, i.State, i.Type, i.Zone, i.Public, i.Tags[TagExpires])}
	seen := func(s provision.State, action, format string, args ...any) (provision.Observation, error) {
		return provision.Observation{State: s, Reason: fmt.Sprintf(format, args...), Evidence: evidence, Action: action}, nil
	}
	if why := h.mismatch(i); why != "" {
		return seen(provision.Drifted, "replace the host, and with it everything on it", "instance %s: %s", i.ID, why)
	}
	if planOf(i.Tags).key != fingerprint(h.PublicKey) {
		return seen(provision.Drifted, "ask, then replace the host, and with it everything on it", "instance %s was made from another machine or another LABCTL_HOME, whose SSH key is not here", i.ID)
	}
	if len(living) > 1 {
		return seen(provision.Drifted, "terminate all but "+i.ID, "%d instances run where one should", len(living))
	}
	if i.State == "stopped" || i.State == "stopping" {
		return seen(provision.Partial, "start instance "+i.ID, "instance %s is %s", i.ID, i.State)
	}
	for _, g := range w.groups {
		if !slices.Contains(i.Groups, g.ID) {
			continue
		}
		if missing, surplus := ingress(g.Ingress, from); len(missing)+len(surplus) > 0 {
			var acts []string
			if len(missing) > 0 {
				acts = append(acts, "open SSH to "+join(missing))
			}
			if len(surplus) > 0 {
				acts = append(acts, "close "+describePermissions(surplus))
			}
			return seen(provision.Drifted, strings.Join(acts, ", "), "the security group's rules are not as declared")
		}
	}
	// What is recorded of another instance does not count for this one.
	if h.State.InstanceID != i.ID || h.State.HostKey == "" || !h.State.Ready || i.State != "running" {
		return seen(provision.Partial, "wait until the host is ready", "instance %s is %s, and this machine has not seen its engine answer", i.ID, i.State)
	}
	if i.Public != "" && i.Public != h.State.Address {
		return seen(provision.Partial, "log in there", "instance %s was started again by somebody else, and is at %s now", i.ID, i.Public)
	}
	if h.toldToEnd(i.ID) {
		return seen(provision.Partial, "look whether it is ending, and replace it then", "instance %s was told to end", i.ID)
	}
	return h.observeHost(ctx, i, seen)
}

// observeHost asks the host whether its engine answers and its timer is armed.
func (h *Host) observeHost(ctx context.Context, i instance, seen func(provision.State, string, string, ...any) (provision.Observation, error)) (provision.Observation, error) {
	until := planOf(i.Tags).expires
	if h.Connect == nil {
		return seen(provision.Current, "", "%s %s runs until %s", i.ID, i.Type, stamp(until))
	}
	to := h.Endpoint()
	if i.Public != "" {
		to.Address = i.Public
	}
	asking, cancel := context.WithTimeout(ctx, observeHostTimeout)
	defer cancel()
	runner, _, err := h.Connect(asking, to)
	var r report
	if err == nil {
		r, err = readReport(asking, runner)
	}
	switch {
	case err != nil && clierr.ClassOf(err) == clierr.Refused, ctx.Err() != nil:
		return provision.Observation{}, err
	case err != nil:
		return seen(provision.Partial, "wait until the host answers", "instance %s runs, and does not answer over SSH: %s", i.ID, err)
	case r.docker == "":
		return seen(provision.Partial, "wait until the engine answers", "instance %s answers over SSH, and its Docker engine does not", i.ID)
	case r.timer != "active", !r.expires.Equal(until):
		return seen(provision.Drifted, "arm the timer that ends the host for "+stamp(until), "the timer that ends %s is %s, for %s", i.ID, r.timer, stamp(r.expires))
	}
	return seen(provision.Current, "", "%s %s, Docker %s, until %s", i.ID, i.Type, r.docker, stamp(until))
}

const observeHostTimeout = 20 * time.Second
