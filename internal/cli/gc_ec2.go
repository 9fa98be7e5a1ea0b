package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision/ec2"
)

// gcEC2 looks for hosts in AWS.
func (a *app) gcEC2(ctx context.Context, f gcFlags, result *collection) error {
	o := a.aws("", 0)
	if len(f.regions) > 0 {
		o.Region = f.regions[0]
	}
	var err error
	if o.Region, err = ec2.HomeRegion(ctx, o); err != nil {
		return err
	}
	client, err := ec2.NewClient(ctx, o)
	if err != nil {
		return err
	}
	caller, err := client.Caller(ctx)
	if errors.Is(err, ec2.ErrNoCredentials) && !f.all && len(f.regions) == 0 {
		result.Skipped = append(result.Skipped, "AWS, since there are no credentials")
		return nil
	}
	if err != nil {
		return err
	}
	me := caller.Owner()
	if a.owner != "" {
		if me, err = a.whose(); err != nil {
			return err
		}
	}
	regions := f.regions
	if len(regions) == 0 {
		if regions, err = client.Regions(ctx); err != nil {
			return err
		}
		slices.Sort(regions)
	}
	clients, err := ec2.Clients(ctx, a.aws("", 0), regions)
	if err != nil {
		return err
	}
	// By AWS's clock: by a wrong one here, hosts would be removed that have hours left.
	now := client.Now(a.now())
	hosts, unseen := ec2.FindEverywhere(ctx, clients, "", me, now)
	for _, h := range hosts {
		c := clients[slices.IndexFunc(clients, func(c *ec2.Client) bool { return c.Region == h.Region })]
		result.Found = append(result.Found, a.hostFinding(c, h, f.stopped, now))
	}
	result.Regions = slices.DeleteFunc(slices.Clone(regions), func(r string) bool {
		return slices.ContainsFunc(unseen, func(u ec2.Unseen) bool { return u.Region == r })
	})
	if len(unseen) < len(clients) {
		for _, u := range unseen {
			result.Skipped = append(result.Skipped, u.String())
		}
	}
	return ec2.NotEverywhere(unseen, len(clients))
}

// startGrace is how long a host that is started after its time is left alone: `labctl start`, maybe on
// another machine, is about to give it a new one. The host itself waits for 15 minutes.
const startGrace = 20 * time.Minute

// hostFinding decides what becomes of a host.
func (a *app) hostFinding(client *ec2.Client, h ec2.Found, stoppedToo bool, now time.Time) finding {
	f := finding{Where: h.Region, Lab: h.Lab, Owner: h.Owner, Mine: h.Mine, State: h.State, Expires: h.Expires, PerHour: h.PerHour}
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
		f.collect = func(ctx context.Context) ([]string, error) { return a.collectHost(ctx, client, h) }
	}
	return f
}

// collectHost removes a host that was found, as far as it still is what was found, and this machine's files of its lab.
func (a *app) collectHost(ctx context.Context, client *ec2.Client, h ec2.Found) (removed []string, err error) {
	home, err := a.home()
	if err != nil {
		return nil, err
	}
	files := home.Lab(h.Lab)
	machine, _ := os.Hostname()
	lock, err := files.Lock(ctx, state.Holder{
		PID: os.Getpid(), User: h.Owner, Host: machine, Command: "labctl " + strings.Join(a.Args[1:], " "), Since: a.now(),
	})
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
	v := a.view()
	err = host.Collect(ctx, v, h)
	v.Close()
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
