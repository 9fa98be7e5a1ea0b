// Package ssh is the connection to a lab's host: one SSH connection over which commands run, and
// TCP and unix sockets are dialled. It is the only importer of golang.org/x/crypto/ssh.
//
// It refuses to speak to a host whose key is not the pinned one, it never reconnects by itself (what
// was running then has an unknown outcome, and only the caller can look at what became of it), and
// it knows nothing about clouds, Docker or Kubernetes.
package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"github.com/labctl/labctl/internal/clierr"
)

// Config says which host to connect to, as whom, and which key it has to show.
type Config struct {
	// Address is "host:port" or "host"; the port is 22 unless given.
	Address string
	User    string
	// PrivateKey is the user's key as GenerateKey makes it: PEM, without a passphrase.
	PrivateKey PrivateKey
	// HostKey is the pinned key of the host as a line of authorized_keys, "ssh-ed25519 AAAA…". There
	// is no way to do without: it is verified before anything but the key exchange is sent.
	HostKey string
	// Timeout bounds connecting and authenticating together; 0 is 15 s.
	Timeout   time.Duration
	Keepalive Keepalive
	// Now is the clock for what is reported (how long, since when); nil is time.Now.
	Now func() time.Time
	// Dialer makes the TCP connection; nil is a net.Dialer's DialContext.
	Dialer func(ctx context.Context, network, address string) (net.Conn, error)

	// Tests have less patience: how long a host may take to open a channel and start a shell in it, and for how long
	// output may go on after a command has exited.
	start, trail time.Duration
}

// Keepalive says how a dead connection is found. After an Interval without a byte from the host it is
// asked for one. A connection from which nothing came for the Deadline is ended; what is found is
// always found within the Deadline, counted from the last byte. An Interval above a third of the
// Deadline is shortened to that. Zero values are 5 s and 20 s.
type Keepalive struct {
	Interval, Deadline time.Duration
}

// PrivateKey is a private key in PEM. It does not print: every verb of fmt and slog shows a placeholder.
type PrivateKey []byte

const hidden = "[private key]"

// Format implements fmt.Formatter.
func (PrivateKey) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// LogValue implements slog.LogValuer.
func (PrivateKey) LogValue() slog.Value { return slog.StringValue(hidden) }

// target is a Config that has been checked, with its keys parsed and its defaults filled in.
type target struct {
	Config
	signer  xssh.Signer
	hostKey xssh.PublicKey
}

// String names the target in messages: "user@host:port".
func (t *target) String() string { return t.User + "@" + t.Address }

func (cfg Config) check() (*target, error) {
	t := &target{Config: cfg}
	if cfg.Address == "" || cfg.User == "" {
		return nil, errors.New("an SSH connection needs an address and a user")
	}
	if _, _, err := net.SplitHostPort(cfg.Address); err != nil {
		t.Address = net.JoinHostPort(strings.Trim(cfg.Address, "[]"), "22")
	}
	if strings.TrimSpace(cfg.HostKey) == "" {
		return nil, clierr.New(clierr.Refused, "connecting to %s: no host key is pinned, so that nothing would prove which host answers", t)
	}
	var err error
	if t.hostKey, err = parseKey(cfg.HostKey); err != nil {
		return nil, fmt.Errorf("the pinned host key of %s: %w", t, err)
	}
	if t.signer, err = xssh.ParsePrivateKey(cfg.PrivateKey); err != nil {
		return nil, fmt.Errorf("the private key for %s: %w", t, err)
	}
	t.fill()
	return t, nil
}

func (t *target) fill() {
	if t.Timeout <= 0 {
		t.Timeout = 15 * time.Second
	}
	if t.Keepalive.Interval <= 0 {
		t.Keepalive.Interval = 5 * time.Second
	}
	if t.Keepalive.Deadline <= 0 {
		t.Keepalive.Deadline = 20 * time.Second
	}
	t.Keepalive.Interval = min(t.Keepalive.Interval, t.Keepalive.Deadline/3)
	if t.Now == nil {
		t.Now = time.Now
	}
	if t.start <= 0 {
		t.start = startTimeout
	}
	if t.trail <= 0 {
		t.trail = trailTimeout
	}
	if t.Dialer == nil {
		t.Dialer = new(net.Dialer).DialContext
	}
}

// hostKeyAlgorithms lists the pinned key's own first, so that a host with several keys shows the
// pinned one. The others follow because a host that has none of that type is then refused with the
// fingerprint of the one it has, instead of with "no common algorithm".
func (t *target) hostKeyAlgorithms() []string {
	own := []string{t.hostKey.Type()}
	if t.hostKey.Type() == xssh.KeyAlgoRSA {
		own = []string{xssh.KeyAlgoRSASHA512, xssh.KeyAlgoRSASHA256}
	}
	for _, a := range xssh.SupportedAlgorithms().HostKeys {
		if !strings.Contains(a, "-cert-") && !slices.Contains(own, a) {
			own = append(own, a)
		}
	}
	return own
}
