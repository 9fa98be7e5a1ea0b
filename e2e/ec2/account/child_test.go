//go:build e2e

package account_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/labctl/labctl/e2e/ec2/moto"
	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/ssh"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/provision/ec2"
)

// The variables by which a test hands a child process its job.
const (
	actVar    = "LABCTL_EC2_ACT"
	configVar = "LABCTL_EC2_CONFIG"
)

// The keys of these tests.
const (
	keyA    = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA tests"
	keyB    = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB elsewhere"
	hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"
)

// setup describes a lab's host as one process sees it. It can be handed to a child.
type setup struct {
	Endpoint, Region string
	Home             string // LABCTL_HOME
	Lab, Owner       string
	Key              string
	Image            string
	Types            []string
	Disk             int
	MaxPrice         float64
	TTL              time.Duration
	From, Doubt      string
	Kubernetes       string
	Replace, Price   bool // the answers to questions
	KeepFailed       bool
	Attempts         int
	Timing           ec2.Timing
	Mute             bool          // the host never answers over SSH
	Silent           bool          // nothing answers at its address
	Later            time.Duration // how far the clock is ahead
}

// quick is for a world without delays.
func quick() ec2.Timing {
	return ec2.Timing{
		Poll: 10 * time.Millisecond, Lag: 20 * time.Second, Running: 20 * time.Second, HostKey: 5 * time.Second,
		Boot: 2 * time.Second, Gone: 30 * time.Second, ConsistencyWindow: 50 * time.Millisecond,
	}
}

// hostFile is where these tests keep the host's state; the lab's own state file is the cli's.
const hostFile = "host.json"

// host makes the resource, with the state and the journal of the home.
func (s setup) host(ctx context.Context) (*ec2.Host, error) {
	client, err := s.client(ctx)
	if err != nil {
		return nil, err
	}
	files := state.Home{Dir: s.Home}.Lab(s.Lab)
	journal, err := files.OpenJournal()
	if err != nil {
		return nil, err
	}
	remembered := new(ec2.HostState)
	if data, err := os.ReadFile(files.Path(hostFile)); err == nil {
		if err := json.Unmarshal(data, remembered); err != nil {
			return nil, err
		}
	}
	spec := &labfile.Host{Type: "ec2", Name: "bench", Region: s.Region, InstanceTypes: s.Types, Image: s.Image, DiskGiB: s.Disk, MaxPrice: s.MaxPrice}
	h := ec2.NewHost(spec, provision.Ownership{Lab: s.Lab, Owner: s.Owner}, client, journal, remembered)
	h.TTL, h.PublicKey, h.Kubernetes, h.KeepFailed, h.Timing = s.TTL, s.Key, s.Kubernetes, s.KeepFailed, s.Timing
	if s.Later != 0 {
		h.Clock.Now = func() time.Time { return time.Now().Add(s.Later) }
	}
	h.Save = func(st ec2.HostState) error {
		data, err := json.Marshal(st)
		if err != nil {
			return err
		}
		return files.WriteFile(hostFile, data)
	}
	h.SSHFrom = func(context.Context) ([]netip.Prefix, string, error) {
		var from []netip.Prefix
		for text := range strings.SplitSeq(s.From, ",") {
			p, err := netip.ParsePrefix(text)
			if err != nil {
				return nil, "", err
			}
			from = append(from, p)
		}
		return from, s.Doubt, nil
	}
	h.Confirm = func(_ context.Context, q ec2.Question) (bool, error) {
		return q.Kind == ec2.AskReplace && s.Replace || q.Kind == ec2.AskPrice && s.Price, nil
	}
	h.Connect = connector(h, s.Mute, s.Silent)
	return h, nil
}

func (s setup) client(ctx context.Context) (*ec2.Client, error) {
	return ec2.NewClient(ctx, ec2.ClientOptions{
		Region: s.Region, Attempts: s.Attempts, MaxBackoff: 20 * time.Millisecond,
		Load: []func(*config.LoadOptions) error{config.WithBaseEndpoint(s.Endpoint)},
	})
}

// connector stands for SSH: the hosts of these tests do not boot. It answers as host.sh does on one that
// is ready.
func connector(h *ec2.Host, mute, silent bool) func(context.Context, ec2.Endpoint) (command.Runner, ec2.Dial, error) {
	return func(_ context.Context, to ec2.Endpoint) (command.Runner, ec2.Dial, error) {
		if silent {
			return nil, nil, fmt.Errorf("connecting to %s: %w", to.Address, ssh.ErrUnreachable)
		}
		if mute {
			return nil, nil, fmt.Errorf("dial tcp %s:22: connect: connection refused", to.Address)
		}
		if to.HostKey != hostKey || to.Address == "" || to.User != ec2.User {
			return nil, nil, clierr.New(clierr.Refused, "the endpoint is %+v", to)
		}
		return &readyHost{state: h.State}, nil, nil
	}
}

// readyHost answers the commands that provision/ec2 runs on a host.
type readyHost struct {
	state *ec2.HostState
	mu    sync.Mutex
	armed int64
}

func (r *readyHost) Run(_ context.Context, c command.Command) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch line := strings.Join(c.Argv, " "); {
	case line == "/usr/local/sbin/labctl-host report":
		if r.armed == 0 {
			r.armed = r.state.Expires.Unix()
		}
		_, err := fmt.Fprintf(c.Stdout, "setup=ready\nstep=the host is ready\nexpires=%d\ntimer=active\ndocker=20.10.24\n", r.armed)
		return err
	case strings.HasPrefix(line, "sudo /usr/local/sbin/labctl-host extend "):
		var err error
		r.armed, err = strconv.ParseInt(c.Argv[3], 10, 64)
		return err
	default:
		return fmt.Errorf("unexpected command %q", line)
	}
}

// child does one act in this process, as a command of labctl would.
func child(act string) int {
	var s setup
	if err := json.Unmarshal([]byte(os.Getenv(configVar)), &s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if err := s.do(context.Background(), act, event.Discard); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// do does one act: what labctl's command of that name does with the host.
func (s setup) do(ctx context.Context, act string, sink event.Sink) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	h, err := s.host(ctx)
	if err != nil {
		return err
	}
	switch act {
	case "up":
		if err := h.Preflight(ctx); err != nil {
			return err
		}
		return h.Apply(ctx, sink)
	case "down":
		if err := h.Destroy(ctx, sink); err != nil {
			return err
		}
		return state.Home{Dir: s.Home}.Lab(s.Lab).Remove()
	case "stop":
		return h.Stop(ctx, sink)
	case "start":
		return h.Start(ctx, sink)
	case "extend":
		_, err := h.Extend(ctx, sink, time.Hour)
		return err
	}
	return fmt.Errorf("unknown act %q", act)
}

// spawn starts a child that does the act, with more of an environment.
func (s setup) spawn(act string, env ...string) (*exec.Cmd, *bytes.Buffer, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return nil, nil, err
	}
	out := new(bytes.Buffer)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), actVar+"="+act, configVar+"="+string(data))
	cmd.Env = append(cmd.Env, env...)
	cmd.Stdout, cmd.Stderr = out, out
	moto.DieWithParent(cmd)
	return cmd, out, cmd.Start()
}
