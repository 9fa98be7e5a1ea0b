package cli

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

// hostStatus is a lab's host as status shows it.
type hostStatus struct {
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

// fewTries is how often AWS is asked what is only to be shown. All six take half a minute.
const fewTries = 2

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
func (a *app) remembered(h *ec2.HostState) *hostStatus {
	s := &hostStatus{
		Instance: h.InstanceID, Type: h.Type, Region: h.Region, Address: h.Address, State: "unknown",
		Cost: ec2.CostOf(*h, a.now()), Expires: h.Expires,
	}
	s.expire(a.now())
	return s
}

func (s *hostStatus) expire(now time.Time) {
	s.ExpiresIn = 0
	if !s.Expires.IsZero() {
		s.ExpiresIn = s.Expires.Sub(now).Round(time.Second).Seconds()
	}
}

// saw adds what AWS shows of the host.
func (s *hostStatus) saw(found []ec2.Found, marks func(ec2.Found) bool, now time.Time) {
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

// askHost asks AWS what it shows of a lab's host. An error is noted in what is returned.
func (a *app) askHost(ctx context.Context, st *state.State) *hostStatus {
	h, err := hostOf(st)
	if err != nil {
		return &hostStatus{State: "unknown", Problem: err.Error()}
	}
	s := a.remembered(h)
	// What is only to be shown is not worth a minute of patience.
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	found, now, err := a.findIn(ctx, h, st.Lab)
	if err != nil {
		s.Problem = err.Error()
		return s
	}
	s.Cost = ec2.CostOf(*h, now)
	s.saw(found, func(f ec2.Found) bool { return f.Lab == st.Lab && f.Owner == st.Owner && f.Host == h.Name }, now)
	return s
}

// findIn asks AWS for a lab's hosts, and for the time.
func (a *app) findIn(ctx context.Context, h *ec2.HostState, lab string) ([]ec2.Found, time.Time, error) {
	client, err := ec2.NewClient(ctx, a.aws(h.Region, fewTries))
	if err != nil {
		return nil, time.Time{}, err
	}
	caller, err := client.Caller(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	now := client.Now(a.now())
	if h.Account != "" && caller.Account != h.Account {
		return nil, now, clierr.New(clierr.Refused, "the host is in the AWS account %s, and these credentials are for %s", h.Account, caller.Account)
	}
	found, err := client.Find(ctx, lab, "", now)
	return found, now, err
}

// String is the host in one line: "i-0abc t3.large in eu-central-1, running, $0.0984/h, $0.12 so far, ends
// itself in 3h12m".
func (s *hostStatus) String() string {
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

// ending is a warning when the host is about to end itself, "" when it is not.
func (s *hostStatus) ending(lab string) string {
	if s.State != "running" || s.Expires.IsZero() || s.ExpiresIn >= warnBefore.Seconds() {
		return ""
	}
	if s.ExpiresIn <= 0 {
		return fmt.Sprintf("The time of lab %s is up: its host is about to end itself, with everything on it.", lab)
	}
	return fmt.Sprintf("Lab %s ends itself in %s, with everything on it. `labctl extend 2h --lab %s` gives it more time.", lab, count.Duration((time.Duration(s.ExpiresIn) * time.Second).Round(time.Minute)), lab)
}

// sayWhatCosts says what of the lab is on AWS, after a failure or an interruption.
func (s *session) sayWhatCosts(ctx context.Context) {
	h, name := s.remote.State, s.lab.Name
	status := s.app.askHost(ctx, &state.State{Lab: name, Owner: s.state.Owner, Host: s.state.Host})
	switch {
	case status.State == "unknown" && h.GroupID == "":
		fmt.Fprintf(s.app.Err, "What exists of lab %s cannot be told now: %s\n", name, status.Problem)
	case status.State == "unknown":
		fmt.Fprintf(s.app.Err, "What exists of lab %s, as last seen: security group %s, %s. It cannot be told now: %s\n", name, h.GroupID, status, status.Problem)
	case status.State == "gone":
		fmt.Fprintln(s.app.Err, "Nothing of the lab exists.")
		return
	case status.Instance == "" || status.State == "no instance":
		fmt.Fprintf(s.app.Err, "What exists of lab %s: a security group in %s, which costs nothing\n", name, status.Region)
	default:
		fmt.Fprintf(s.app.Err, "What exists of lab %s: %s\n", name, status)
	}
	fmt.Fprintf(s.app.Err, "The same command again goes on from here; `labctl down %s` takes it all away.\n", name)
}
