package ec2

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

// Host is the resource "host.ec2.NAME", made by NewHost. Its fields are set before the first call and not
// changed after; its methods are called one at a time, as those of every resource.
type Host struct {
	Spec      *labfile.Host
	TTL       time.Duration // how long the instance may live; counted from the making of its group
	Ownership provision.Ownership
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
	// SSHFrom returns the networks that SSH is opened to, at least one, and why SSH may come from elsewhere, a
	// sentence for people; "" when nothing speaks for that.
	SSHFrom func(context.Context) (from []netip.Prefix, doubt string, err error)
	// Connect returns a runner of commands on the host, over the connection that is open or a new
	// one. An error of class clierr.Refused (a changed host key) is final; after others Apply tries
	// again until its time is up.
	Connect func(context.Context, Endpoint) (command.Runner, Dial, error)
	// Confirm asks a question on a terminal; nil, or off a terminal, is no.
	Confirm func(context.Context, Question) (bool, error)

	// KeepFailed keeps an instance that never became ready, so that it can be looked at.
	KeepFailed bool
	Clock      Clock
	Timing     Timing

	prepared *prepared
	from     []netip.Prefix
	doubt    string          // SSHFrom's
	asked    map[string]bool // questions that were answered with yes
	launched string          // the instance that this Apply launched
	woken    bool            // this Apply has started the instance, which was stopped
	removed  []string
	gone     map[string]bool // groups that this run has deleted; AWS may go on showing them
}

// NewHost returns a host with the machine's clock and AWS's timing. That is enough to observe, stop and destroy it;
// Apply, Start and Extend need TTL, PublicKey, SSHFrom and Connect too, which the caller sets. A nil remembered is
// that of a host of which nothing is known.
func NewHost(spec *labfile.Host, owned provision.Ownership, client *Client, journal *state.Journal, remembered *HostState) *Host {
	if remembered == nil {
		remembered = &HostState{}
	}
	return &Host{
		Spec: spec, Ownership: owned, Client: client, Journal: journal, State: remembered,
		Clock: SystemClock(), Timing: DefaultTiming(),
	}
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

var _ provision.Resource = (*Host)(nil)
