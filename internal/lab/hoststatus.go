package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision/ec2"
)

// HostStatus is a lab's host as AWS shows it, else as it is remembered; its JSON form is public.
type HostStatus struct {
	Instance  string    `json:"instance_id"`
	Type      string    `json:"type"`
	Region    string    `json:"region"`
	Address   string    `json:"address,omitempty"`
	State     string    `json:"state"` // AWS's word; "unknown" when AWS does not answer, "gone" when nothing is there
	Cost      ec2.Cost  `json:"cost"`
	Expires   time.Time `json:"expires,omitzero"`
	ExpiresIn float64   `json:"expires_in_seconds,omitempty"`
	Problem   string    `json:"problem,omitempty"` // why the state is unknown
}

// warnBefore is how long before a host's end status warns of it.
const warnBefore = 30 * time.Minute

// hostOf reads what the state remembers of a lab's host; of a lab on this machine that is nothing.
func hostOf(st *state.State) (*ec2.HostState, error) {
	host := &ec2.HostState{}
	if len(st.Host) == 0 {
		return host, nil
	}
	if err := json.Unmarshal(st.Host, host); err != nil {
		return nil, clierr.New(clierr.Failed, "reading what is remembered of the host of lab %s: %w", st.Lab, err).
			WithNext("`labctl down %s` finds it by its marks.", st.Lab)
	}
	return host, nil
}

// remembered is what labctl knows of a host without asking AWS.
func (m *Machine) remembered(h *ec2.HostState) *HostStatus {
	s := &HostStatus{
		Instance: h.InstanceID, Type: h.Type, Region: h.Region, Address: h.Address, State: "unknown",
		Cost: ec2.CostOf(*h, m.now()), Expires: h.Expires,
	}
	s.expire(m.now())
	return s
}

func (s *HostStatus) expire(now time.Time) {
	s.ExpiresIn = 0
	if !s.Expires.IsZero() {
		s.ExpiresIn = s.Expires.Sub(now).Round(time.Second).Seconds()
	}
}

// saw adds what AWS shows of the host.
func (s *HostStatus) saw(found []ec2.Found, marks func(ec2.Found) bool, now time.Time) {
	s.State = "gone"
	for _, f := range found {
		if !marks(f) {
			continue
		}
		s.State = f.State
		if len(f.Instances) > 0 {
			s.Instance, s.Type = f.Instances[0], f.Type
		}
		if !f.Expires.IsZero() {
			s.Expires = f.Expires
		}
	}
	if s.State != "running" && s.State != "pending" && s.State != "stopped" && s.State != "stopping" {
		s.Cost.PerHour = 0
	}
	s.expire(now)
}

// hostStatus asks AWS what it shows of a lab's host. An error is noted in what is returned.
func (m *Machine) hostStatus(ctx context.Context, st *state.State) *HostStatus {
	h, err := hostOf(st)
	if err != nil {
		return &HostStatus{State: "unknown", Problem: err.Error()}
	}
	s := m.remembered(h)
	// What is only to be shown is not worth a minute of patience.
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	found, now, err := m.findIn(ctx, h, st.Lab)
	if err != nil {
		s.Problem = err.Error()
		return s
	}
	s.Cost = ec2.CostOf(*h, now)
	s.saw(found, func(f ec2.Found) bool { return f.Lab == st.Lab && f.Owner == st.Owner && f.Host == h.Name }, now)
	return s
}

// findIn asks AWS for a lab's hosts, and for the time.
func (m *Machine) findIn(ctx context.Context, h *ec2.HostState, lab string) ([]ec2.Found, time.Time, error) {
	o := m.aws(h.Region)
	o.Attempts = FewTries
	client, err := ec2.NewClient(ctx, o)
	if err != nil {
		return nil, time.Time{}, err
	}
	caller, err := client.Caller(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	now := client.Now(m.now())
	if h.Account != "" && caller.Account != h.Account {
		return nil, now, clierr.New(clierr.Refused, "the host is in the AWS account %s, and these credentials are for %s", h.Account, caller.Account)
	}
	found, err := client.Find(ctx, lab, "", now)
	return found, now, err
}

// String is the host in one line: "i-0abc t3.large in eu-central-1, running, $0.0984/h, $0.12 so far, ends
// itself in 3h12m".
func (s *HostStatus) String() string {
	text := fmt.Sprintf("%s %s in %s, %s", s.Instance, s.Type, s.Region, s.State)
	if s.Instance == "" {
		text = "a host in " + s.Region + ", " + s.State
	}
	if s.Cost.Known {
		text += fmt.Sprintf(", $%.4f/h, $%.2f so far", s.Cost.PerHour, s.Cost.Spent)
	}
	switch left := time.Duration(s.ExpiresIn) * time.Second; {
	case s.Expires.IsZero() || s.State == "gone":
	case s.State == "stopped":
	case left <= 0:
		text += ", its time is up"
	default:
		text += ", ends itself in " + count.Duration(left.Round(time.Minute))
	}
	return text
}

// Ending is a warning when the host is about to end itself, "" when it is not.
func (s *HostStatus) Ending(lab string) string {
	if s.State != "running" || s.Expires.IsZero() || s.ExpiresIn >= warnBefore.Seconds() {
		return ""
	}
	if s.ExpiresIn <= 0 {
		return fmt.Sprintf("The time of lab %s is up: its host is about to end itself, with everything on it.", lab)
	}
	return fmt.Sprintf("Lab %s ends itself in %s, with everything on it. `labctl extend 2h --lab %s` gives it more time.", lab, count.Duration((time.Duration(s.ExpiresIn) * time.Second).Round(time.Minute)), lab)
}
