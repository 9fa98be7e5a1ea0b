package ec2

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"
)

// HostState is what labctl remembers of a host. It holds no secret.
type HostState struct {
	Name       string `json:"name,omitempty"` // as the lab file calls it; with lab and owner it finds the host
	Region     string `json:"region"`
	Account    string `json:"account,omitempty"`
	GroupID    string `json:"group_id,omitempty"`
	InstanceID string `json:"instance_id,omitempty"`
	Type       string `json:"type,omitempty"`
	Zone       string `json:"zone,omitempty"`
	Image      string `json:"image,omitempty"` // ami-…
	Address    string `json:"address,omitempty"`
	Private    string `json:"private_address,omitempty"`
	HostKey    string `json:"host_key,omitempty"`
	// Spec is what the host was declared as, in the form of the tag labctl:spec.
	Spec     string    `json:"spec,omitempty"`
	Disk     int       `json:"disk_gib,omitempty"`
	Made     time.Time `json:"made,omitzero"`
	Launched time.Time `json:"launched,omitzero"` // when it was started last
	Expires  time.Time `json:"expires,omitzero"`
	// Stopped is when labctl stopped it; Paid what it had cost by then, in US dollars.
	Stopped time.Time `json:"stopped,omitzero"`
	Paid    float64   `json:"paid_usd,omitempty"`
	// Ready: this machine has seen the host's engine answer.
	Ready bool `json:"ready,omitempty"`
}

// remember applies a change to the state and saves it.
func (h *Host) remember(change func(*HostState)) error {
	before, _ := json.Marshal(h.State)
	change(h.State)
	if after, _ := json.Marshal(h.State); string(before) == string(after) || h.Save == nil {
		return nil
	}
	if err := h.Save(*h.State); err != nil {
		return fmt.Errorf("remembering the host: %w", err)
	}
	return nil
}

// adopt remembers an instance. What one that was stopped has cost so far is kept.
func (h *Host) adopt(i instance) error {
	plan, now := planOf(i.Tags), h.now()
	return h.remember(func(s *HostState) {
		if s.InstanceID != i.ID {
			*s = HostState{Name: s.Name, Region: s.Region, Account: s.Account}
		}
		if i.State == "pending" || i.State == "running" {
			if !s.Stopped.IsZero() {
				s.Paid, s.Stopped = CostOf(*s, now).Spent, time.Time{}
			}
			s.Launched = i.Launched
		}
		s.GroupID, s.InstanceID, s.Type, s.Zone, s.Image = i.Tags[TagGroup], i.ID, i.Type, i.Zone, i.Image
		s.Address, s.Private = cmp.Or(i.Public, i.Private), i.Private
		s.Spec, s.Made, s.Expires = plan.spec, plan.made, plan.expires
		s.Disk = h.Spec.DiskGiB
	})
}
