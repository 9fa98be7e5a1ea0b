package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/fault"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/ssh"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/provision/ec2"
)

// The files of a remote lab's SSH key, beside its state.
const (
	keyFile    = "id_ed25519"
	publicFile = "id_ed25519.pub"
)

// remote is a lab's host that is not this machine, and the one connection to it. It is the engine's
// runner. It is safe for concurrent use.
type remote struct {
	*ec2.Host
	key  ssh.PrivateKey
	dial func(context.Context, ssh.Config) (*ssh.Conn, error)
	// recreate: a host that has to be replaced may be, with everything on it.
	recreate bool

	mu   sync.Mutex
	conn *ssh.Conn
	at   ec2.Endpoint // what conn leads to
}

// newRemote prepares the host of a lab. It makes no call but, where the owner is not known, one that
// asks AWS who is calling.
func (a *app) newRemote(ctx context.Context, lab *labfile.Lab, files *state.Lab, st *state.State, journal *state.Journal) (*remote, error) {
	client, err := ec2.NewClient(ctx, ec2.ClientOptions{Region: lab.Host.Region, Attempts: a.tries})
	if err != nil {
		return nil, err
	}
	remembered, err := hostOf(st)
	if err != nil {
		return nil, err
	}
	key, public, err := hostKeys(files)
	if err != nil {
		return nil, err
	}
	r := &remote{key: key, dial: ssh.Dial}
	r.Host = &ec2.Host{
		Spec: lab.Host, TTL: lab.TTL, Marks: provision.Marks{Lab: lab.Name, Owner: st.Owner}, Client: client, Journal: journal,
		State: remembered, PublicKey: public, Kubernetes: lab.Cluster.Kubernetes,
		Clock: ec2.SystemClock(), Timing: ec2.DefaultTiming(),
		SSHFrom: func(ctx context.Context) ([]netip.Prefix, error) { return a.sshFrom(ctx, lab.Host) },
		Connect: r.connect,
		Confirm: func(_ context.Context, q ec2.Question) (bool, error) { return a.answer(q, r.recreate), nil },
		Save: func(h ec2.HostState) error {
			raw, err := json.Marshal(h)
			if err != nil {
				return err
			}
			st.Host = raw
			return files.Save(st)
		},
	}
	return r, nil
}

// hostKeys returns the lab's key pair, and makes one in memory where there is none; keepKeys writes it.
func hostKeys(files *state.Lab) (ssh.PrivateKey, string, error) {
	private, err := os.ReadFile(files.Path(keyFile))
	public, perr := os.ReadFile(files.Path(publicFile))
	if err == nil && perr == nil {
		return private, strings.TrimSpace(string(public)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, "", fault.New(fault.Failed, "reading the lab's SSH key: %w", err)
	}
	return ssh.GenerateKey()
}

// keepKeys writes the key pair before anything is made that trusts it. The caller has the lab's lock;
// what another command has written before it had that counts.
func (r *remote) keepKeys(files *state.Lab) error {
	private, public, err := hostKeys(files)
	if err != nil {
		return err
	}
	r.key, r.PublicKey = private, public
	if err := files.WriteFile(keyFile, r.key); err != nil {
		return err
	}
	return files.WriteFile(publicFile, []byte(r.PublicKey+"\n"))
}

// whoseOn returns the owner of a lab: on AWS, where nobody says it, it is the caller.
func (a *app) whoseOn(ctx context.Context, lab *labfile.Lab) (string, error) {
	if lab.Host == nil {
		return a.whose()
	}
	client, err := ec2.NewClient(ctx, ec2.ClientOptions{Region: lab.Host.Region, Attempts: a.tries})
	if err != nil {
		return "", err
	}
	if a.owner != "" {
		if err := client.LookForCredentials(ctx); err != nil {
			return "", err
		}
		return a.whose()
	}
	caller, err := client.Caller(ctx)
	return caller.Owner(), err
}

// Observe implements provision.Resource. What is on the host can only be asked while it can be logged in
// to.
func (r *remote) Observe(ctx context.Context) (provision.Observation, error) {
	seen, err := r.Host.Observe(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	seen.Dark = r.conn == nil
	return seen, err
}

// config is how the host is reached over SSH.
func (r *remote) config(e ec2.Endpoint) ssh.Config {
	return ssh.Config{Address: net.JoinHostPort(e.Address, strconv.Itoa(e.Port)), User: e.User, PrivateKey: r.key, HostKey: e.HostKey}
}

// connect opens the connection, or returns the one that is open.
func (r *remote) connect(ctx context.Context, e ec2.Endpoint) (docker.Runner, ec2.Dial, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn != nil && (r.at.Instance != e.Instance || r.at.HostKey != e.HostKey) {
		_ = r.conn.Close() // to the host that this one has replaced
		r.conn = nil
	}
	if r.conn != nil {
		select {
		case <-r.conn.Done():
			r.conn = nil
		default:
			return r.conn, r.conn.DialContext, nil
		}
	}
	conn, err := r.dial(ctx, r.config(e))
	if err != nil {
		return nil, nil, err
	}
	r.conn, r.at = conn, e
	return conn, conn.DialContext, nil
}

// open returns the connection to a host that was up when it was last seen.
func (r *remote) open(ctx context.Context) (docker.Runner, ec2.Dial, error) {
	e := r.Endpoint()
	switch {
	case e.Address == "" || e.HostKey == "":
		return nil, nil, fault.New(fault.Unknown, "%s is not up: %w", r.Addr(), docker.ErrNoEngine).WithNext("`labctl up` makes it.")
	case !r.State.Stopped.IsZero():
		return nil, nil, fault.New(fault.Unknown, "%s (%s) is stopped, and `labctl start` starts it again: %w", r.Addr(), e.Instance, docker.ErrNoEngine).
			WithNext("`labctl start` starts it again.")
	}
	return r.connect(ctx, e)
}

// Run implements docker.Runner over the connection.
func (r *remote) Run(ctx context.Context, c docker.Command) error {
	runner, _, err := r.open(ctx)
	if err != nil {
		return err
	}
	return runner.Run(ctx, c)
}

// DialContext reaches addresses as the host sees them.
func (r *remote) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	_, dial, err := r.open(ctx)
	if err != nil {
		return nil, err
	}
	return dial(ctx, network, address)
}

// Close ends the connection.
func (r *remote) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn != nil {
		_ = r.conn.Close()
	}
}
