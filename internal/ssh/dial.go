package ssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"

	xssh "golang.org/x/crypto/ssh"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/text"
	"github.com/labctl/labctl/internal/untrusted"
)

var (
	// ErrHostKey is wrapped by errors that say that a host shows another key than the pinned one.
	ErrHostKey = errors.New("host key changed")
	// ErrUnreachable is wrapped by errors that say that nothing has answered at the host's address, neither to
	// accept the connection nor to refuse it.
	ErrUnreachable = errors.New("no TCP connection")
	// ErrAuth is wrapped by errors that say that the host refuses the user or the user's key.
	ErrAuth = errors.New("the host refuses this user and key")
)

// Dial connects, verifies the host's key against the pinned one and authenticates. It ends with ctx or
// after cfg.Timeout, and says how far it came. Another host key gives an error that wraps ErrHostKey and
// is of class clierr.Refused: up to then nothing of the user or of labctl was sent. A refused user or key
// gives one that wraps ErrAuth. The connection outlives ctx: it ends by Close or when it is lost.
func Dial(ctx context.Context, cfg Config) (*Conn, error) {
	t, err := cfg.check()
	if err != nil {
		return nil, err
	}
	return t.dial(ctx)
}

func (t *target) dial(ctx context.Context) (*Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, t.Timeout, fmt.Errorf("not done within %s", count.Duration(t.Timeout)))
	defer cancel()
	tcp, err := t.Dialer(ctx, "tcp", t.Address)
	if err != nil {
		switch {
		case ctx.Err() != nil:
			err = fmt.Errorf("%w: %w", ErrUnreachable, context.Cause(ctx))
		case errors.Is(err, syscall.ETIMEDOUT), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
			err = fmt.Errorf("%w: %w", ErrUnreachable, err)
		}
		return nil, fmt.Errorf("connecting to %s: %w", t, err)
	}
	// The handshake takes no context: closing the connection is what ends it.
	unhook := context.AfterFunc(ctx, func() { tcp.Close() })
	wire := &meter{Conn: tcp}
	var seen handshake
	conn, channels, requests, err := xssh.NewClientConn(wire, t.Address, t.clientConfig(&seen))
	if !unhook() {
		if err == nil {
			conn.Close()
		}
		return nil, fmt.Errorf("connecting to %s: %w; %s", t, context.Cause(ctx), seen.reached(wire))
	}
	if err != nil {
		return nil, seen.explain(t, wire, err)
	}
	return newConn(t, wire, conn, channels, requests), nil
}

// handshake is what was seen while connecting. The library's own errors do not let one tell a refused
// key from a lost connection.
type handshake struct {
	verified atomic.Bool
	shown    xssh.PublicKey // another key than the pinned one
	banner   string
}

func (t *target) clientConfig(seen *handshake) *xssh.ClientConfig {
	return &xssh.ClientConfig{
		User:              t.User,
		Auth:              []xssh.AuthMethod{xssh.PublicKeys(t.signer)},
		HostKeyAlgorithms: t.hostKeyAlgorithms(),
		HostKeyCallback: func(_ string, _ net.Addr, key xssh.PublicKey) error {
			if !bytes.Equal(key.Marshal(), t.hostKey.Marshal()) {
				seen.shown = key
				return ErrHostKey
			}
			seen.verified.Store(true)
			return nil
		},
		BannerCallback: func(message string) error {
			seen.banner = message
			return nil
		},
		ClientVersion: "SSH-2.0-labctl",
	}
}

// explain makes of a failed handshake the error to return.
func (h *handshake) explain(t *target, wire *meter, err error) error {
	var network net.Error
	switch {
	case h.shown != nil:
		return clierr.New(clierr.Refused, "connecting to %s: %w: pinned is %s %s, the host shows %s %s", t, ErrHostKey,
			t.hostKey.Type(), xssh.FingerprintSHA256(t.hostKey), h.shown.Type(), xssh.FingerprintSHA256(h.shown)).
			WithNext("Nothing was sent to it. Either another machine answers at %s now, or the host was replaced: find out which before you trust the new key.", t.Address)
	case !h.verified.Load(), errors.Is(err, io.EOF), errors.As(err, &network), errors.Is(err, net.ErrClosed):
		return fmt.Errorf("connecting to %s: %w; %s", t, err, h.reached(wire))
	}
	text := ""
	if b := oneLine(h.banner); b != "" {
		text = fmt.Sprintf("; the host says %q", b)
	}
	return fmt.Errorf("connecting to %s with key %s: %w%s (%w)", t, xssh.FingerprintSHA256(t.signer.PublicKey()), ErrAuth, text, err)
}

// reached says how far the connection came.
func (h *handshake) reached(wire *meter) string {
	switch {
	case h.verified.Load():
		return "the host key was verified, the user was not yet accepted"
	case wire.received.Load() > 0:
		return "the host answered, its key was not yet verified"
	}
	return "the host took the TCP connection and sent nothing"
}

// oneLine makes of what a host says something that fits into an error message and cannot move a cursor.
func oneLine(said string) string {
	return text.Shorten(untrusted.Line(said), 300)
}

// meter counts what a connection receives, so that a silent one is found.
type meter struct {
	net.Conn
	received atomic.Int64
	failed   atomic.Bool // a read failed: what ends now ends because of that
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	m.received.Add(int64(n))
	if err != nil {
		m.failed.Store(true)
	}
	return n, err
}
