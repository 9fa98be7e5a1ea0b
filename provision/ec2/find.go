package ec2

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision"
)

// Found is one host as its marks show it: a group, its instances, or what is left of either.
type Found struct {
	Region     string    `json:"region"`
	Lab        string    `json:"lab"`
	Host       string    `json:"host"`
	Owner      string    `json:"owner"`
	GroupID    string    `json:"group_id,omitempty"`
	Instances  []string  `json:"instances,omitempty"` // those that have not ended
	Volumes    []string  `json:"volumes,omitempty"`
	State      string    `json:"state"` // of the first instance; "no instance" without
	Type       string    `json:"type,omitempty"`
	DiskGiB    int       `json:"disk_gib,omitempty"`
	Launched   time.Time `json:"launched,omitzero"`
	Expires    time.Time `json:"expires,omitzero"`
	PerHour    float64   `json:"per_hour_usd,omitempty"` // at this moment, by the shipped table
	Mine       bool      `json:"mine"`
	Expired    bool      `json:"expired"`
	PriceKnown bool      `json:"price_known"`

	seen []instance // as Instances; Collect compares them with what is there then
}

// Ownership is the lab and the owner of what was found.
func (f Found) Ownership() provision.Ownership {
	return provision.Ownership{Lab: f.Lab, Owner: f.Owner}
}

// Spec is as much of a host block as is needed to destroy what was found.
func (f Found) Spec() *labfile.Host {
	return &labfile.Host{Type: "ec2", Name: f.Host, Region: f.Region}
}

// Find lists what carries labctl's three marks in the region of c, by lab and host. An empty lab means
// all labs, an empty owner all owners. Mine is relative to owner, Expired to now.
func (c *Client) Find(ctx context.Context, lab, me string, now time.Time) ([]Found, error) {
	var (
		wg        sync.WaitGroup
		groups    []group
		instances []instance
		volumes   []volume
		errs      [3]error
	)
	// The presence of the mark is asked for; its value is compared here.
	wg.Go(func() { groups, errs[0] = c.groups(ctx, filter("tag-key", TagLab)) })
	wg.Go(func() { instances, errs[1] = c.instances(ctx, filter("tag-key", TagLab)) })
	wg.Go(func() { volumes, errs[2] = c.volumes(ctx, filter("tag-key", TagLab)) })
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	in := &inventory{region: c.Region, lab: lab, found: map[[3]string]*Found{}}
	for _, g := range groups {
		// The name is a mark too: it is what makes the group this host's anchor.
		if f := in.at(g.Tags); f != nil && g.Name == GroupName(f.Lab, f.Host, f.Owner) {
			f.GroupID, f.Expires = g.ID, planOf(g.Tags).expires
		}
	}
	slices.SortFunc(instances, func(a, b instance) int { return a.Launched.Compare(b.Launched) })
	for _, i := range instances {
		if f := in.at(i.Tags); f != nil && i.State != "terminated" {
			in.instance(f, i)
		}
	}
	for _, v := range volumes {
		if f := in.at(v.tags); f != nil {
			f.Volumes, f.DiskGiB = append(f.Volumes, v.id), f.DiskGiB+v.size
		}
	}
	return in.list(me, now), nil
}

// inventory gathers what was found by lab, host and owner.
type inventory struct {
	region, lab string
	found       map[[3]string]*Found
}

// at returns the place of what carries the tags, nil when a mark is missing.
func (in *inventory) at(tags map[string]string) *Found {
	key := [3]string{tags[TagLab], tags[TagHost], tags[TagOwner]}
	if key[0] == "" || key[1] == "" || key[2] == "" || in.lab != "" && key[0] != in.lab {
		return nil
	}
	f, ok := in.found[key]
	if !ok {
		f = &Found{Region: in.region, Lab: key[0], Host: key[1], Owner: key[2], State: "no instance"}
		in.found[key] = f
	}
	return f
}

func (in *inventory) instance(f *Found, i instance) {
	f.Instances, f.seen = append(f.Instances, i.ID), append(f.seen, i)
	if len(f.Instances) == 1 {
		f.State, f.Type, f.Launched, f.Expires = i.State, i.Type, i.Launched, planOf(i.Tags).expires
	}
}

// list drops what holds nothing and reckons the rest.
func (in *inventory) list(me string, now time.Time) []Found {
	var all []Found
	for _, f := range in.found {
		if f.GroupID == "" && len(f.Instances) == 0 && len(f.Volumes) == 0 {
			continue
		}
		f.Mine = f.Owner == me
		f.Expired = !f.Expires.IsZero() && !now.Before(f.Expires)
		price, known := PriceOf(f.Region, f.Type, f.DiskGiB)
		f.PriceKnown = known
		switch f.State {
		case "pending", "running":
			f.PerHour = price.Hour() * float64(len(f.Instances))
		case "stopping", "stopped":
			f.PerHour = price.Disk
		}
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b Found) int {
		return cmp.Or(cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Lab, b.Lab), cmp.Compare(a.Host, b.Host))
	})
	return all
}

type volume struct {
	id   string
	size int
	tags map[string]string
}

// volumes lists disks that are not on their way out.
func (c *Client) volumes(ctx context.Context, filters ...types.Filter) ([]volume, error) {
	var all []volume
	in := &sdk.DescribeVolumesInput{Filters: filters}
	for {
		out, err := c.ec2.DescribeVolumes(ctx, in)
		if err != nil {
			return nil, c.explain("DescribeVolumes", err)
		}
		for _, v := range out.Volumes {
			if v.State != "deleting" && v.State != "deleted" {
				all = append(all, volume{aws.ToString(v.VolumeId), int(aws.ToInt32(v.Size)), tagsOf(v.Tags)})
			}
		}
		if aws.ToString(out.NextToken) == "" {
			return all, nil
		}
		in.NextToken = out.NextToken
	}
}
