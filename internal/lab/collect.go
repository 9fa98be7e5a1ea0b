package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/hashicorp/go-multierror"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision/ec2"
)

// CollectOptions are the policy of Collect.
type CollectOptions struct {
	DryRun  bool     // remove nothing
	Stopped bool     // remove the caller's stopped hosts as well when their time is up
	Regions []string // of AWS; empty: all that the account has enabled
	// NeedAWS fails without credentials for AWS, where else this machine alone is looked at.
	NeedAWS bool
}

// Finding is something of labctl's that exists, and what Collect does with it.
type Finding struct {
	Where    string    `json:"where"` // an AWS region, or "this machine"
	Lab      string    `json:"lab,omitempty"`
	Owner    string    `json:"owner"`
	Mine     bool      `json:"mine"`
	What     []string  `json:"what"`
	State    string    `json:"state"`
	Expires  time.Time `json:"expires,omitzero"`
	PerHour  float64   `json:"per_hour_usd,omitempty"`
	Estimate bool      `json:"estimate,omitempty"`
	// Remove: Collect without DryRun removes it. Why says why or why not.
	Remove bool   `json:"remove"`
	Why    string `json:"why"`

	collect func(context.Context) ([]string, error)
}

// Collection is the result of Collect; its JSON form is that of `gc -o json`.
type Collection struct {
	Regions []string  `json:"regions"`
	Found   []Finding `json:"found"`
	Removed []string  `json:"removed"`
	Skipped []string  `json:"skipped,omitempty"` // what was not looked at, and why
	// Complete: everything that was to be looked at was.
	Complete bool `json:"complete"`
}

// Collect finds everything that carries labctl's marks and removes what is the caller's and has had its time. One
// place that cannot be looked at does not hide what is in the others: it is in the error, beside the collection.
func (m *Machine) Collect(ctx context.Context, o CollectOptions) (*Collection, error) {
	result := &Collection{Regions: []string{}, Found: []Finding{}, Removed: []string{}}
	var failed *multierror.Error
	for _, find := range []func(context.Context, CollectOptions, *Collection) error{m.findOnAWS, m.findHere} {
		if err := find(ctx, o, result); err != nil {
			failed = multierror.Append(failed, clierr.Observing(err))
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	result.Complete = failed == nil
	for i := range result.Found {
		found := &result.Found[i]
		if !found.Remove || o.DryRun {
			continue
		}
		removed, err := found.collect(ctx)
		result.Removed = append(result.Removed, removed...)
		switch {
		case errors.Is(err, ec2.ErrChanged):
			found.Remove, found.Why = false, err.Error()
		case err != nil:
			failed = multierror.Append(failed, err)
		}
	}
	return result, failed.ErrorOrNil()
}

// findOnAWS lists the hosts on AWS.
func (m *Machine) findOnAWS(ctx context.Context, o CollectOptions, result *Collection) error {
	located := &Located{}
	err := m.locateAWS(ctx, query{regions: o.Regions}, located)
	if errors.Is(err, ec2.ErrNoCredentials) && !o.NeedAWS {
		result.Skipped = append(result.Skipped, "AWS, since there are no credentials")
		return nil
	}
	if err != nil {
		return err
	}
	for _, f := range located.Labs {
		result.Found = append(result.Found, m.hostFinding(located.client(f.Host.Region), *f.Host, o.Stopped, located.Now))
	}
	result.Regions = slices.DeleteFunc(slices.Clone(located.Regions), func(r string) bool {
		return slices.ContainsFunc(located.Unseen, func(u ec2.Unseen) bool { return u.Region == r })
	})
	if len(located.Unseen) < len(located.clients) {
		for _, u := range located.Unseen {
			result.Skipped = append(result.Skipped, u.String())
		}
	}
	return located.notEverywhere()
}

// startGrace is how long a host that is started after its time is left alone: `labctl start`, maybe on
// another machine, is about to give it a new one. The host itself waits for 15 minutes.
const startGrace = 20 * time.Minute

// hostFinding decides what becomes of a host.
func (m *Machine) hostFinding(client *ec2.Client, h ec2.Found, stoppedToo bool, now time.Time) Finding {
	f := Finding{Where: h.Region, Lab: h.Lab, Owner: h.Owner, Mine: h.Mine, State: h.State, Expires: h.Expires, PerHour: h.PerHour}
	if price, known := ec2.PriceOf(h.Region, h.Type, h.DiskGiB); known {
		f.Estimate = price.Estimate
	} else {
		f.PerHour = 0 // the disk's alone would be taken for the whole
	}
	for _, id := range h.Instances {
		f.What = append(f.What, "instance "+id)
	}
	if h.GroupID != "" {
		f.What = append(f.What, "security group "+h.GroupID)
	}
	for _, id := range h.Volumes {
		f.What = append(f.What, "volume "+id)
	}
	until := h.Expires.Local().Format("2006-01-02 15:04 MST")
	stopped := h.State == "stopped" || h.State == "stopping"
	switch {
	case !h.Mine:
		f.Why = "it is somebody else's"
	case h.Expires.IsZero():
		f.Why = "nothing says until when it is meant to live; `labctl down " + h.Lab + "` removes the host"
	case !h.Expired:
		f.Why = "it has until " + until
	case h.Launched.After(h.Expires) && now.Sub(h.Launched) < startGrace && !stopped:
		f.Why = "it was started after its time was up, and may be about to get a new one"
	case stopped && !stoppedToo:
		f.Why = "it is stopped, and `labctl start` gives it its whole time again; --stopped removes it"
	default:
		f.Remove, f.Why = true, "its time was up at "+until
		f.collect = func(ctx context.Context) ([]string, error) { return m.collectHost(ctx, client, h) }
	}
	return f
}

// collectHost removes a host that was found, as far as it still is what was found, and this machine's files of its lab.
func (m *Machine) collectHost(ctx context.Context, client *ec2.Client, h ec2.Found) (removed []string, err error) {
	home, err := m.Home()
	if err != nil {
		return nil, err
	}
	files := home.Lab(h.Lab)
	lock, err := files.Lock(ctx, m.holder(h.Owner))
	if err != nil {
		return nil, fmt.Errorf("removing the host of lab %s in %s: %w", h.Lab, h.Region, err)
	}
	defer lock.Release()
	remembered, ours := rememberedHost(files, h)
	journal, err := files.OpenJournal()
	if err != nil {
		return nil, err
	}
	host := ec2.NewHost(h.Spec(), h.Ownership(), client, journal, remembered)
	err = host.Collect(ctx, m.Events, h)
	for _, what := range host.Removed() {
		removed = append(removed, fmt.Sprintf("%s in %s (lab %s)", what, h.Region, h.Lab))
	}
	switch {
	case errors.Is(err, ec2.ErrChanged):
		return removed, err
	case err != nil:
		return removed, fmt.Errorf("removing the host of lab %s in %s: %w", h.Lab, h.Region, err)
	}
	if !ours {
		return removed, nil
	}
	if err := files.Remove(); err != nil {
		return removed, clierr.New(clierr.Leftover, "%w", err)
	}
	return removed, nil
}

// rememberedHost returns what this machine remembers of a host, and whether the lab's files here are
// about that host and nothing else. Another lab of the name may be here: on this machine's Docker, in
// another region or in another account.
func rememberedHost(files *state.Lab, h ec2.Found) (*ec2.HostState, bool) {
	st, err := files.Load()
	if err != nil {
		return &ec2.HostState{}, errors.Is(err, fs.ErrNotExist)
	}
	remembered := &ec2.HostState{}
	if len(st.Host) == 0 || json.Unmarshal(st.Host, remembered) != nil {
		return &ec2.HostState{}, false
	}
	if remembered.GroupID == h.GroupID && h.GroupID != "" || slices.Contains(h.Instances, remembered.InstanceID) {
		return remembered, true
	}
	return &ec2.HostState{}, false
}
