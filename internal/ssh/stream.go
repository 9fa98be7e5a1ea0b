package ssh

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	xssh "golang.org/x/crypto/ssh"
)

// DialContext connects to an address as seen from the host, through this connection. The network is
// "tcp" ("tcp4", "tcp6"; the host resolves the name) or "unix" (the address is a path). It fits
// kube.Options.Dial and http.Transport.DialContext. What it returns keeps deadlines, has CloseWrite, and
// ends with an error that wraps ErrLost, rather than io.EOF, when the SSH connection breaks. A refused
// connection wraps syscall.ECONNREFUSED.
func (c *Conn) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	kind, extra, err := openRequest(network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	type opened struct {
		channel xssh.Channel
		err     error
	}
	done := make(chan opened, 1)
	go func() {
		channel, requests, err := c.mux.OpenChannel(kind, extra)
		if err == nil {
			go xssh.DiscardRequests(requests)
		}
		done <- opened{channel, err}
	}()
	select {
	case got := <-done:
		if got.err != nil {
			return nil, fmt.Errorf("dialling %s %s through %s: %w", network, address, c, c.why(refusal(got.err)))
		}
		return newStream(c, got.channel, network, address), nil
	case <-ctx.Done():
		go func() {
			if got := <-done; got.err == nil {
				got.channel.Close()
			}
		}()
		return nil, fmt.Errorf("dialling %s %s through %s: %w", network, address, c, context.Cause(ctx))
	}
}

// openRequest returns the type and data of the channel to open.
func openRequest(network, address string) (kind string, extra []byte, err error) {
	switch network {
	case "unix":
		// PROTOCOL of OpenSSH, section 2.4.
		return "direct-streamlocal@openssh.com", xssh.Marshal(struct {
			Path, Reserved string
			Reserved2      uint32
		}{Path: address}), nil
	case "tcp", "tcp4", "tcp6":
		host, service, err := net.SplitHostPort(address)
		if err != nil {
			return "", nil, err
		}
		port, err := strconv.ParseUint(service, 10, 16)
		if err != nil || port == 0 {
			return "", nil, fmt.Errorf("port %q is not a number from 1 to 65535", service)
		}
		if host == "" {
			host = "localhost"
		}
		// RFC 4254, section 7.2. The originator is for the host's log only.
		return "direct-tcpip", xssh.Marshal(struct {
			Host   string
			Port   uint32
			Origin string
			From   uint32
		}{host, uint32(port), "127.0.0.1", 0}), nil
	}
	return "", nil, net.UnknownNetworkError(network)
}

// refusal gives sshd's words the error number that they stand for, which is what others look for.
func refusal(err error) error {
	for _, known := range []syscall.Errno{syscall.ECONNREFUSED, syscall.ENOENT, syscall.EACCES, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ETIMEDOUT} {
		if strings.Contains(strings.ToLower(err.Error()), known.Error()) {
			return fmt.Errorf("%w (%w)", known, err)
		}
	}
	return err
}

// stream is a channel as a net.Conn. The library's channels know no deadlines and say io.EOF when the
// connection breaks, which would pass for a complete answer.
type stream struct {
	conn          *Conn
	channel       xssh.Channel
	local, remote net.Addr
	closed        chan struct{}
	closing       sync.Once

	readMu    sync.Mutex
	rest      []byte // read and not yet asked for
	chunk     chan chunk
	fetching  bool
	readLimit deadline

	writeMu    sync.Mutex
	broken     error // a write was given up, so how much was sent is unknown
	writeLimit deadline
}

type chunk struct {
	data []byte
	err  error
}

func newStream(c *Conn, channel xssh.Channel, network, address string) *stream {
	return &stream{
		conn: c, channel: channel,
		local: addr{"ssh", c.String()}, remote: addr{network, address},
		closed: make(chan struct{}), chunk: make(chan chunk, 1),
	}
}

// Read implements net.Conn.
func (s *stream) Read(p []byte) (int, error) {
	s.readMu.Lock()
	defer s.readMu.Unlock()
	passed := s.readLimit.channel()
	select {
	case <-s.closed:
		return 0, s.opError("read", net.ErrClosed)
	case <-passed:
		return 0, s.opError("read", os.ErrDeadlineExceeded)
	default:
	}
	if len(s.rest) == 0 && len(p) > 0 {
		if !s.fetching {
			s.fetching = true
			// A read that a deadline ended goes on; the next one takes what it brings.
			go s.fetch()
		}
		select {
		case got := <-s.chunk:
			s.fetching = false
			s.rest = got.data
			if got.err != nil && len(got.data) == 0 {
				return 0, s.ended(got.err)
			}
		case <-passed:
			return 0, s.opError("read", os.ErrDeadlineExceeded)
		case <-s.closed:
			return 0, s.opError("read", net.ErrClosed)
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *stream) fetch() {
	buf := make([]byte, 32<<10)
	n, err := s.channel.Read(buf)
	s.chunk <- chunk{buf[:n], err}
}

// ended tells the other side's end from the connection's.
func (s *stream) ended(err error) error {
	if why := s.conn.why(err); why != io.EOF {
		return s.opError("read", why)
	}
	return io.EOF
}

// Write implements net.Conn. After a Write that a deadline ended, all others fail.
func (s *stream) Write(p []byte) (int, error) {
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	passed := s.writeLimit.channel()
	select {
	case <-s.closed:
		return 0, s.opError("write", net.ErrClosed)
	case <-passed:
		return 0, s.opError("write", os.ErrDeadlineExceeded)
	default:
	}
	if s.broken != nil {
		return 0, s.broken
	}
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	// A copy: a write that is given up goes on using it.
	data := append([]byte(nil), p...)
	go func() {
		n, err := s.channel.Write(data)
		done <- result{n, err}
	}()
	select {
	case r := <-done:
		if r.err == nil {
			return r.n, nil
		}
		err := s.conn.why(r.err)
		if err == io.EOF {
			err = syscall.EPIPE // the other side takes no more
		}
		return r.n, s.opError("write", err)
	case <-passed:
		s.broken = s.opError("write", os.ErrDeadlineExceeded)
	case <-s.closed:
		s.broken = s.opError("write", net.ErrClosed)
	}
	return 0, s.broken
}

// CloseWrite tells the other side that nothing more comes.
func (s *stream) CloseWrite() error {
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	s.broken = s.opError("write", net.ErrClosed)
	if err := s.channel.CloseWrite(); err != nil {
		return s.opError("close", s.conn.why(err))
	}
	return nil
}

// Close implements net.Conn.
func (s *stream) Close() error {
	s.closing.Do(func() {
		close(s.closed)
		// Sending blocks on a dead connection, until the keepalive finds it.
		go s.channel.Close()
	})
	return nil
}

func (s *stream) LocalAddr() net.Addr  { return s.local }
func (s *stream) RemoteAddr() net.Addr { return s.remote }

// SetDeadline implements net.Conn.
func (s *stream) SetDeadline(t time.Time) error {
	s.readLimit.set(t)
	s.writeLimit.set(t)
	return nil
}

// SetReadDeadline implements net.Conn.
func (s *stream) SetReadDeadline(t time.Time) error {
	s.readLimit.set(t)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (s *stream) SetWriteDeadline(t time.Time) error {
	s.writeLimit.set(t)
	return nil
}

func (s *stream) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: s.remote.Network(), Addr: s.remote, Err: err}
}

// addr is an address as the host sees it.
type addr struct{ network, address string }

func (a addr) Network() string { return a.network }
func (a addr) String() string  { return a.address }
