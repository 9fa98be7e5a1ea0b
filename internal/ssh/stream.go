package ssh

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	xssh "golang.org/x/crypto/ssh"
)

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
