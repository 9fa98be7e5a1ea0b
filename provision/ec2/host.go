package ec2

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/fault"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

// Host is the resource "host.ec2.NAME". Its fields are set before the first call and not changed
// after; its methods are called one at a time, as those of every resource.
type Host struct {
	Spec  *labfile.Host
	TTL   time.Duration // how long the instance may live; counted from the making of its group
	Marks provision.Marks
	// Client is of the region that Spec names.
	Client *Client
	// Journal takes a record before and after every call that changes something.
	Journal *state.Journal
	// State is what is remembered of the host; Save is called with it after each change. Both may
	// have been lost: everything but HostKey, Paid and Ready is found again from the marks.
	State *HostState
	Save  func(HostState) error

	// PublicKey is the line for authorized_keys of the key that Connect logs in with.
	PublicKey string
	// Kubernetes is the version of the kubectl to install, "1.35.4", or "1.35" for the newest of those;
	// empty installs none.
	Kubernetes string
	// SSHFrom returns the networks that SSH is opened to, at least one.
	SSHFrom func(context.Context) ([]netip.Prefix, error)
	// Connect returns a runner of commands on the host, over the connection that is open or a new
	// one. An error of class fault.Refused (a changed host key) is final; after others Apply tries
	// again until its time is up.
	Connect func(context.Context, Endpoint) (docker.Runner, Dial, error)
	// Confirm asks a question on a terminal; nil, or off a terminal, is no.
	Confirm func(context.Context, Question) (bool, error)

	// KeepFailed keeps an instance that never became ready, so that it can be looked at.
	KeepFailed bool
	Clock      Clock
	Timing     Timing

	prepared *prepared
	asked    map[Kind]bool // questions that were answered with yes
	launched string        // the instance that this Apply launched
	removed  []string
	gone     map[string]bool // groups that this run has deleted; AWS may go on showing them
}

// Dial opens a connection that leaves from the host; the network is "tcp" or "unix".
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Endpoint is what is needed to log in to a host.
type Endpoint struct {
	Instance string // i-…, for messages
	Address  string // of SSH, without the port
	Port     int
	User     string
	// HostKey is the host's ed25519 key, "ssh-ed25519 AAAA…". Nothing may be sent to a host that
	// shows another one.
	HostKey string
}

// HostState is what labctl remembers of a host. It holds no secret.
type HostState struct {
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

// Clock is the time and the waiting of a host.
type Clock struct {
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
}

// SystemClock is the machine's own clock.
func SystemClock() Clock {
	return Clock{Now: time.Now, Sleep: func(ctx context.Context, d time.Duration) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}}
}

// Timing bounds what a host waits for.
type Timing struct {
	Poll    time.Duration // the first pause between two looks; they grow to five times that
	Lag     time.Duration // for how long AWS may not show what it has just made
	Running time.Duration // pending to running
	HostKey time.Duration // running to the host key's arrival on the console
	Boot    time.Duration // the host key's arrival to an engine that answers
	Gone    time.Duration // terminating to terminated and the group deleted
	Settle  time.Duration // how long nothing must be seen before it counts as nothing
}

// DefaultTiming is for AWS: an instance runs after ~15 s and shows its console after up to minutes.
func DefaultTiming() Timing {
	return Timing{
		Poll: time.Second, Lag: 5 * time.Minute, Running: 5 * time.Minute, HostKey: 5 * time.Minute,
		Boot: 10 * time.Minute, Gone: 10 * time.Minute, Settle: 5 * time.Second,
	}
}

// Kind says what a question is about, so that --yes need not answer all of them.
type Kind string

// The kinds of question.
const (
	// AskPrice: the shipped table does not know what the instance type costs in the region.
	AskPrice Kind = "price"
	// AskReplace: the host was made by another labctl directory, whose key is not here. It may be at
	// work at this moment.
	AskReplace Kind = "replace"
)

// Question is something that only a person can decide.
type Question struct {
	Kind Kind
	Text string // a full sentence that ends in a question mark
}

// Addr implements provision.Resource.
func (h *Host) Addr() string { return "host.ec2." + h.Spec.Name }

// Needs implements provision.Resource.
func (h *Host) Needs() []provision.Need { return nil }

// Summary implements provision.Summarizer.
func (h *Host) Summary() string {
	s := h.State
	return fmt.Sprintf("%s %s in %s, until %s", s.InstanceID, s.Type, s.Region, s.Expires.UTC().Format("15:04 MST"))
}

// Removed lists what Destroy has seen to be gone: "instance i-…", "security group sg-…".
func (h *Host) Removed() []string { return h.removed }

// User is the account on the host that labctl logs in to, whatever the image's own is called.
const User = "labctl"

// Endpoint returns where the host is reached; it is complete once the host key is known.
func (h *Host) Endpoint() Endpoint {
	return Endpoint{Instance: h.State.InstanceID, Address: h.State.Address, Port: 22, User: User, HostKey: h.State.HostKey}
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

// act makes one call that changes something, with a journal record before and after.
func (h *Host) act(ctx context.Context, action, object string, call func() error) error {
	if h.Journal == nil {
		return fmt.Errorf("ec2 %s %s: no journal is open", action, object)
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	pending, err := h.Journal.Begin(state.Act{Verb: "ec2 " + action, Object: object, Addr: h.Addr()})
	if err != nil {
		return err
	}
	err = h.Client.explain(action, call())
	if jerr := pending.Done(err); err == nil {
		err = jerr
	}
	return err
}

// confirm asks once and remembers a yes.
func (h *Host) confirm(ctx context.Context, q Question) (bool, error) {
	if h.asked[q.Kind] {
		return true, nil
	}
	if h.Confirm == nil {
		return false, nil
	}
	yes, err := h.Confirm(ctx, q)
	if yes && err == nil {
		if h.asked == nil {
			h.asked = map[Kind]bool{}
		}
		h.asked[q.Kind] = true
	}
	return yes && err == nil, err
}

// poll looks until check says that it is done, or the limit is over; the error then says what was
// seen last.
func (h *Host) poll(ctx context.Context, limit time.Duration, what string, check func() (done bool, saw string, err error)) error {
	began, pause := h.Clock.Now(), h.Timing.Poll
	for {
		done, saw, err := check()
		if done || err != nil {
			return err
		}
		waited := h.Clock.Now().Sub(began)
		if waited >= limit {
			return fault.New(fault.Failed, "waited %s for %s; last seen: %s", limit, what, saw)
		}
		if err := h.Clock.Sleep(ctx, min(pause, limit-waited)); err != nil {
			return err
		}
		pause = min(pause*3/2, 5*h.Timing.Poll)
	}
}

var _ provision.Resource = (*Host)(nil)
