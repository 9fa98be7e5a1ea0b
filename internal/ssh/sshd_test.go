//go:build e2e

package ssh

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// server is a real sshd of the test's own, on a loopback address.
type server struct {
	address string
	user    string
	key     PrivateKey // a key that it accepts
	hostKey string
	dir     string
	log     *lockedBuffer
}

// startServer starts an sshd with more lines of configuration. It and the check that no goroutine is left
// belong to the test's cleanup.
func startServer(t *testing.T, config ...string) *server {
	t.Helper()
	program, err := exec.LookPath("sshd")
	if err != nil {
		program = "/usr/sbin/sshd"
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatal("these tests need a real sshd: apt-get install openssh-server")
	}
	if os.Geteuid() == 0 {
		// Where sshd separates privileges; at boot a service makes it.
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	noLeak(t)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{user: me.Username, dir: t.TempDir(), log: new(lockedBuffer)}
	private, public := newKey(t)
	s.key = private
	hostPrivate, hostPublic := newKey(t)
	s.hostKey = hostPublic
	s.write(t, "host_key", hostPrivate)
	s.write(t, "authorized_keys", []byte(public+"\n"))
	s.address = freeAddress(t)
	host, port, _ := net.SplitHostPort(s.address)
	lines := append([]string{
		"ListenAddress " + host, "Port " + port,
		"HostKey " + filepath.Join(s.dir, "host_key"),
		"AuthorizedKeysFile " + filepath.Join(s.dir, "authorized_keys"),
		"PidFile none", "StrictModes no", "UsePAM no", "PermitRootLogin prohibit-password",
		"PasswordAuthentication no", "KbdInteractiveAuthentication no", "LogLevel VERBOSE", "PrintMotd no",
		"MaxStartups 100",
		// Without the start-up files of whoever runs the tests, which may take longer than all else.
		"SetEnv HOME=" + s.dir,
	}, config...)
	s.write(t, "sshd_config", []byte(strings.Join(lines, "\n")+"\n"))
	s.start(t, program)
	return s
}

func (s *server) start(t *testing.T, program string) {
	t.Helper()
	cmd := exec.Command(program, "-D", "-e", "-f", filepath.Join(s.dir, "sshd_config"))
	cmd.Stderr = s.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("sshd's log:\n%s", s.log)
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", s.address)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("sshd does not listen: %v\n%s", err, s.log)
		}
	}
}

func (s *server) write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *server) config() Config {
	return Config{Address: s.address, User: s.user, PrivateKey: s.key, HostKey: s.hostKey, Timeout: 30 * time.Second}
}

// dial connects with the server's configuration, changed by the functions.
func (s *server) dial(t *testing.T, change ...func(*Config)) *Conn {
	t.Helper()
	cfg := s.config()
	for _, f := range change {
		f(&cfg)
	}
	c, err := Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// noLeak checks at the end of the test that no goroutine of this package or its library is left.
func noLeak(t *testing.T) {
	t.Cleanup(func() {
		var left []string
		for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			if left = ours(); len(left) == 0 {
				return
			}
		}
		t.Errorf("%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
	})
}

func ours() []string {
	buf := make([]byte, 4<<20)
	var found []string
	for _, g := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(g, "testing.(*T).Run(") || strings.Contains(g, "ssh.ours(") {
			continue
		}
		if strings.Contains(g, "labctl/internal/ssh.") || strings.Contains(g, "x/crypto/ssh.") {
			found = append(found, g)
		}
	}
	return found
}

// within fails the test if f takes longer.
func within(t *testing.T, bound time.Duration, what string, f func()) time.Duration {
	t.Helper()
	begin := time.Now()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(bound):
		buf := make([]byte, 1<<20)
		t.Fatalf("%s: not done within %s\n%s", what, bound, buf[:runtime.Stack(buf, true)])
	}
	return time.Since(begin)
}

// eventually waits until ok holds.
func eventually(t *testing.T, bound time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(bound); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, bound)
		}
	}
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// proxy stands between the test and the server: it delays, stops or cuts what passes.
type proxy struct {
	address string
	target  string
	delay   time.Duration // each way

	mu     sync.Mutex
	held   chan struct{} // nil: bytes pass; else they wait until it is closed
	conns  []net.Conn
	served int
}

func startProxy(t *testing.T, target string, delay time.Duration) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: l.Addr().String(), target: target, delay: delay}
	t.Cleanup(func() {
		l.Close()
		p.cut()
	})
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", target)
			if err != nil {
				near.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, near, far)
			p.served++
			p.mu.Unlock()
			go p.pipe(near, far)
			go p.pipe(far, near)
		}
	}()
	return p
}

func (p *proxy) pipe(to, from net.Conn) {
	type piece struct {
		data []byte
		due  time.Time
	}
	pieces := make(chan piece, 1<<14)
	go func() {
		defer to.Close()
		for x := range pieces {
			time.Sleep(time.Until(x.due))
			p.mu.Lock()
			held := p.held
			p.mu.Unlock()
			if held != nil {
				<-held
			}
			if _, err := to.Write(x.data); err != nil {
				return
			}
		}
	}()
	defer close(pieces)
	for {
		buf := make([]byte, 32<<10)
		n, err := from.Read(buf)
		if n > 0 {
			pieces <- piece{buf[:n], time.Now().Add(p.delay)}
		}
		if err != nil {
			return
		}
	}
}

// hold makes the network a black hole: connections stay open and nothing passes. It ends with the test.
func (p *proxy) hold(t *testing.T) {
	held := make(chan struct{})
	p.mu.Lock()
	p.held = held
	p.mu.Unlock()
	t.Cleanup(func() { close(held) })
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

func (p *proxy) use(cfg *Config) { cfg.Address = p.address }

func background(t *testing.T, bound time.Duration) context.Context {
	ctx, cancel := context.WithTimeoutCause(t.Context(), bound, fmt.Errorf("the test's own bound of %s", bound))
	t.Cleanup(cancel)
	return ctx
}
