package lab

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/event"
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

// remoteHost is a lab's host that is not this machine, and the one connection to it. It is the engine's
// runner. It is safe for concurrent use.
type remoteHost struct {
	*ec2.Host
	key  ssh.PrivateKey
	dial func(context.Context, ssh.Config) (*ssh.Conn, error)
	// keyless is why the key cannot be read; then nobody can log in to the host, and nothing needs to.
	keyless error
	// recreate: a host that has to be replaced may be, with everything on it.
	recreate bool

	mu   sync.Mutex
	conn *ssh.Conn
	at   ec2.Endpoint // what conn leads to
}

// newRemoteHost prepares the host of a lab. It makes no call.
func (m *Machine) newRemoteHost(ctx context.Context, declared *labfile.Lab, files *state.Lab, st *state.State, journal *state.Journal) (*remoteHost, error) {
	client, err := ec2.NewClient(ctx, m.aws(declared.Host.Region))
	if err != nil {
		return nil, err
	}
	remembered, err := hostOf(st)
	if err != nil {
		return nil, err
	}
	key, public, keyless := hostKeys(files)
	r := &remoteHost{key: key, keyless: keyless, dial: ssh.Dial}
	r.Host = ec2.NewHost(declared.Host, provision.Ownership{Lab: declared.Name, Owner: st.Owner}, client, journal, remembered)
	r.TTL, r.PublicKey, r.Kubernetes, r.Connect = declared.TTL, public, declared.Cluster.Kubernetes, r.connect
	r.SSHFrom = func(ctx context.Context) ([]netip.Prefix, string, error) { return m.sshFrom(ctx, declared.Host) }
	r.Confirm = func(ctx context.Context, q ec2.Question) (bool, error) {
		if q.Kind == ec2.AskReplace && r.recreate {
			return true, nil
		}
		return m.Confirm(ctx, q)
	}
	r.Save = func(h ec2.HostState) error {
		raw, err := json.Marshal(h)
		if err != nil {
			return err
		}
		st.Host = raw
		return files.Save(st)
	}
	return r, nil
}

// hostKeys returns the lab's key pair, and makes one in memory where there is none; keepKeys writes it. The
// private key is the only way to a host that runs, so that one which is there is never replaced: the public half
// is derived from it, whatever became of its file. One that cannot be read is an error.
func hostKeys(files *state.Lab) (ssh.PrivateKey, string, error) {
	private, err := os.ReadFile(files.Path(keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return ssh.GenerateKey()
	}
	var public string
	if err == nil {
		public, err = ssh.PublicKey(private)
	}
	if err != nil {
		return nil, "", clierr.New(clierr.Refused, "the lab's SSH key %s cannot be read: %w", files.Path(keyFile), err).
			WithNext("It is the only way to the lab's host, so nothing was changed. Make it readable or put it back; or `labctl down` removes the host without it.")
	}
	return private, public, nil
}

// keepKeys writes the key pair before anything is made that trusts it. The caller has the lab's lock;
// what another command has written before it had that counts.
func (r *remoteHost) keepKeys(files *state.Lab) error {
	r.key, r.PublicKey, r.keyless = hostKeys(files)
	if r.keyless != nil {
		return nil // whoever needs it is refused; `down` and `stop` do not
	}
	if err := files.WriteFile(keyFile, r.key); err != nil {
		return err
	}
	return files.WriteFile(publicFile, []byte(r.PublicKey+"\n"))
}

// Preflight implements provision.Preflighter.
func (r *remoteHost) Preflight(ctx context.Context) error {
	if r.keyless != nil {
		return r.keyless
	}
	return r.Host.Preflight(ctx)
}

// Apply implements provision.Resource.
func (r *remoteHost) Apply(ctx context.Context, sink event.Sink) error {
	if r.keyless != nil {
		return r.keyless
	}
	return r.Host.Apply(ctx, sink)
}

// Extend is the host's. What is written on its tags counts only when the host itself is told.
func (r *remoteHost) Extend(ctx context.Context, sink event.Sink, d time.Duration) (time.Time, error) {
	if r.keyless != nil {
		return time.Time{}, r.keyless
	}
	return r.Host.Extend(ctx, sink, d)
}

// Start is the host's. One that nobody can log in to is not paid for.
func (r *remoteHost) Start(ctx context.Context, sink event.Sink) error {
	if r.keyless != nil {
		return r.keyless
	}
	return r.Host.Start(ctx, sink)
}

// Observe implements provision.Resource. What is on the host can only be asked while it can be logged in
// to.
func (r *remoteHost) Observe(ctx context.Context) (provision.Observation, error) {
	if r.keyless != nil {
		return provision.Observation{Unobservable: true}, r.keyless
	}
	seen, err := r.Host.Observe(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	seen.Unobservable = r.conn == nil
	return seen, err
}

// config is how the host is reached over SSH.
func (r *remoteHost) config(e ec2.Endpoint) ssh.Config {
	return ssh.Config{Address: net.JoinHostPort(e.Address, strconv.Itoa(e.Port)), User: e.User, PrivateKey: r.key, HostKey: e.HostKey}
}

// connect opens the connection, or returns the one that is open.
func (r *remoteHost) connect(ctx context.Context, e ec2.Endpoint) (command.Runner, ec2.Dial, error) {
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
	if r.keyless != nil {
		return nil, nil, r.keyless
	}
	conn, err := r.dial(ctx, r.config(e))
	if err != nil {
		return nil, nil, err
	}
	r.conn, r.at = conn, e
	return conn, conn.DialContext, nil
}

// open returns the connection to a host that was up when it was last seen.
func (r *remoteHost) open(ctx context.Context) (command.Runner, ec2.Dial, error) {
	e := r.Endpoint()
	switch {
	case e.Address == "" || e.HostKey == "":
		return nil, nil, clierr.New(clierr.Inconclusive, "%s is not up: %w", r.Addr(), docker.ErrNoEngine).WithNext("`labctl up` makes it.")
	case !r.State.Stopped.IsZero():
		return nil, nil, clierr.New(clierr.Inconclusive, "%s (%s) is stopped, and `labctl start` starts it again: %w", r.Addr(), e.Instance, docker.ErrNoEngine).
			WithNext("`labctl start` starts it again.")
	}
	return r.connect(ctx, e)
}

// Run implements command.Runner over the connection.
func (r *remoteHost) Run(ctx context.Context, c command.Command) error {
	runner, _, err := r.open(ctx)
	if err != nil {
		return err
	}
	return runner.Run(ctx, c)
}

// DialContext reaches addresses as the host sees them.
func (r *remoteHost) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	_, dial, err := r.open(ctx)
	if err != nil {
		return nil, err
	}
	return dial(ctx, network, address)
}

// Close ends the connection.
func (r *remoteHost) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn != nil {
		_ = r.conn.Close()
	}
}
