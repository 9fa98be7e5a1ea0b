package ec2

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/labfile"
)

// prepared is all that a launch needs to know of the account, read before the first act.
type prepared struct {
	vpc        string
	candidates []candidate
	image      image
	rootDevice string
	warnings   []string
}

// candidate is one way to launch the host.
type candidate struct {
	Type, Subnet, Zone string
	Price              Price
}

// Preflight implements provision.Preflighter: everything that would make a launch fail and can be read
// is found here, before anything is made.
func (h *Host) Preflight(ctx context.Context) error {
	if err := h.checkMarks(); err != nil {
		return err
	}
	if _, err := h.checkAccount(ctx); err != nil {
		return err
	}
	if _, err := h.networks(ctx); err != nil {
		return err
	}
	w, err := h.observeInventory(ctx)
	if err != nil {
		return err
	}
	if len(w.alive()) > 0 {
		return nil
	}
	_, err = h.prepare(ctx)
	return err
}

// checkAccount refuses credentials of another account than the one that the host was made in.
func (h *Host) checkAccount(ctx context.Context) (Caller, error) {
	caller, err := h.Client.Caller(ctx)
	if err != nil {
		return caller, err
	}
	if h.State.Account != "" && h.State.Account != caller.Account {
		return caller, clierr.New(clierr.Refused, "lab %s has its host in the AWS account %s, and these credentials are for %s", h.Ownership.Lab, h.State.Account, caller.Account).
			WithNext("Use the credentials of account %s (AWS_PROFILE says which).", h.State.Account)
	}
	if h.State.Region != "" && h.State.Region != h.Client.Region {
		return caller, clierr.New(clierr.Refused, "lab %s has its host in %s, and the lab file says %s", h.Ownership.Lab, h.State.Region, h.Client.Region).
			WithNext("`labctl down %s` removes that one; after it the lab can go up in %s.", h.Ownership.Lab, h.Client.Region)
	}
	return caller, nil
}

// begin is what every method that changes something starts with.
func (h *Host) begin(ctx context.Context) error {
	if err := h.checkMarks(); err != nil {
		return err
	}
	caller, err := h.checkAccount(ctx)
	if err != nil {
		return err
	}
	return h.remember(func(s *HostState) { s.Name, s.Account, s.Region = h.Spec.Name, caller.Account, h.Client.Region })
}

// prepare reads image, types, subnets and prices, once.
func (h *Host) prepare(ctx context.Context) (*prepared, error) {
	if h.prepared != nil {
		return h.prepared, nil
	}
	p := &prepared{}
	var (
		wg                      sync.WaitGroup
		types                   []instanceType
		subnets                 []subnet
		typeErr, netErr, imgErr error
	)
	wg.Go(func() { types, typeErr = h.Client.instanceTypes(ctx, h.Spec.InstanceTypes) })
	wg.Go(func() { p.vpc, subnets, netErr = h.Client.defaultNetwork(ctx) })
	wg.Wait()
	for _, err := range []error{typeErr, netErr} {
		if err != nil {
			return nil, err
		}
	}
	architecture, err := oneArchitecture(types)
	if err != nil {
		return nil, err
	}
	if p.image, imgErr = h.Client.image(ctx, h.Spec.Image, architecture); imgErr != nil {
		return nil, imgErr
	}
	if h.Spec.DiskGiB < p.image.DiskGiB {
		return nil, clierr.New(clierr.Refused, "disk_gib is %d, and image %s needs at least %d", h.Spec.DiskGiB, p.image.ID, p.image.DiskGiB).
			WithNext("Set disk_gib to %d or more.", p.image.DiskGiB)
	}
	if p.image.Stranger {
		p.warnings = append(p.warnings, fmt.Sprintf("nothing says whether image %s (%s) is a Debian or an Ubuntu with cloud-init; on another one the host cannot be equipped", p.image.ID, p.image.Name))
	}
	affordable, err := h.affordable(ctx, types, p)
	if err != nil {
		return nil, err
	}
	// Types first: the order of the lab file counts for more than the zone.
	for _, t := range affordable {
		for _, s := range subnets {
			p.candidates = append(p.candidates, candidate{Type: t.name, Subnet: s.id, Zone: s.zone, Price: t.price})
		}
	}
	h.prepared = p
	return p, nil
}

type priced struct {
	name  string
	price Price
}

// affordable keeps the types whose price is known, or accepted, and within max_price. A launch falls
// back to the next type, so one that cannot be had is left out as long as another one is there.
func (h *Host) affordable(ctx context.Context, types []instanceType, p *prepared) ([]priced, error) {
	var kept []priced
	var over, unknown []string
	for _, t := range types {
		price, known := PriceOf(h.Client.Region, t.name, h.Spec.DiskGiB)
		switch {
		case !known:
			unknown = append(unknown, t.name)
		case h.Spec.MaxPrice > 0 && price.Hour() > h.Spec.MaxPrice:
			over = append(over, fmt.Sprintf("%s at %s", t.name, price))
		default:
			kept = append(kept, priced{t.name, price})
		}
	}
	if len(over) > 0 {
		p.warnings = append(p.warnings, "left out, above max_price: "+strings.Join(over, ", "))
	}
	if len(unknown) > 0 && len(kept) == 0 {
		if err := h.acceptUnknown(ctx, unknown); err != nil {
			return nil, err
		}
		for _, name := range unknown {
			kept = append(kept, priced{name: name})
		}
		p.warnings = append(p.warnings, fmt.Sprintf("labctl does not know what %s costs in %s; you accepted that", strings.Join(unknown, ", "), h.Client.Region))
	} else if len(unknown) > 0 {
		p.warnings = append(p.warnings, fmt.Sprintf("left out, since labctl does not know the price in %s: %s", h.Client.Region, strings.Join(unknown, ", ")))
	}
	if len(kept) == 0 {
		return nil, clierr.New(clierr.Refused, "max_price is $%g/h, and in %s (prices of %s, with disk and address) costs %s", h.Spec.MaxPrice, h.Client.Region, PricesAsOf, strings.Join(over, ", ")).
			WithNext("Raise max_price, or name a smaller instance type.")
	}
	return kept, nil
}

func (h *Host) acceptUnknown(ctx context.Context, names []string) error {
	text := fmt.Sprintf("labctl's price table (%s) does not know %s in %s", PricesAsOf, strings.Join(names, ", "), h.Client.Region)
	if h.Spec.MaxPrice > 0 {
		text += fmt.Sprintf(", so max_price = %g cannot be kept to", h.Spec.MaxPrice)
	}
	yes, err := h.confirm(ctx, Question{Kind: AskPrice, Text: text + ". Launch it all the same?"})
	if err != nil {
		return err
	}
	if !yes {
		return clierr.New(clierr.Refused, "%s", text).
			WithNext("Answer the question on a terminal, pass --yes, or name another instance type.")
	}
	return nil
}

// networks are what SSH is opened to. They are asked for once: the caller does not move in between.
func (h *Host) networks(ctx context.Context) ([]netip.Prefix, error) {
	if h.from != nil {
		return h.from, nil
	}
	unknown := clierr.New(clierr.Refused, "it is not known where SSH comes from").WithNext("Set ssh_from in the host block, or LABCTL_SSH_FROM.")
	if h.SSHFrom == nil {
		return nil, unknown
	}
	given, doubt, err := h.SSHFrom(ctx)
	if err != nil {
		return nil, err
	}
	if len(given) == 0 {
		return nil, unknown
	}
	var from []netip.Prefix
	for _, p := range given {
		from = append(from, p.Masked())
	}
	slices.SortFunc(from, func(a, b netip.Prefix) int { return strings.Compare(a.String(), b.String()) })
	from = slices.Compact(from)
	if !slices.ContainsFunc(from, func(p netip.Prefix) bool { return p.Addr().Is4() }) {
		return nil, clierr.New(clierr.Refused, "SSH would be let in from %s, which is IPv6 alone", join(from)).WithNext("%s", onlyIPv4)
	}
	h.from, h.doubt = from, doubt
	return h.from, nil
}

// warnOpen says so when SSH is open to a good part of the internet, or maybe not to the caller.
func (h *Host) warnOpen(sink event.Sink, from []netip.Prefix) {
	if wide := labfile.Wide(from); wide != "" {
		sink.Emit(event.Notice{Addr: h.Addr(), Warning: true, Text: "SSH on the host is open to " + wide + ", because the lab file says so"})
	}
	if h.doubt != "" {
		sink.Emit(event.Notice{Addr: h.Addr(), Warning: true, Text: h.doubt})
	}
}
