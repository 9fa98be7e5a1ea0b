//go:build e2e

package hostile

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"
)

// sshPort is where labctl's copy (build_test.go) looks for SSH, so that no privilege is needed.
const sshPort = 20022

// addresses of the loopback: each host has one of its own.
var addresses atomic.Uint32

// sshHost is a lab's host behind a real SSH server. Its commands run in a folder of the sandbox.
type sshHost struct {
	address string // without the port
	key     string // the line that labctl has pinned
	signer  ssh.Signer
	box     *sandbox

	// conn, where set, has the raw connection instead of a server.
	conn func(net.Conn)
	// login, where set, changes how users are let in.
	login func(*ssh.ServerConfig)
	// channel, where set, takes a channel and says that it did.
	channel func(ssh.NewChannel) bool
	// command, where set, takes what a session is to run and says that it did.
	command func(ssh.Channel, string) bool
	// filter, where set, is what the output of every command goes through.
	filter func(io.Writer) io.Writer

	visits atomic.Int64
	mu     sync.Mutex
	open   []net.Conn
	groups []int
	wg     sync.WaitGroup
}

// hostKey makes a key pair of a host.
func hostKey() (ssh.Signer, error) {
	_, secret, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return ssh.NewSignerFromKey(secret)
}

func keyLine(s ssh.Signer) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.PublicKey())))
}

// startSSH starts one that ends with the test.
func startSSH(t testing.TB, box *sandbox, signer ssh.Signer) *sshHost {
	t.Helper()
	n := addresses.Add(1)
	h := &sshHost{address: fmt.Sprintf("127.77.%d.%d", n/250, n%250+1), key: keyLine(signer), signer: signer, box: box}
	l, err := net.Listen("tcp", net.JoinHostPort(h.address, fmt.Sprint(sshPort)))
	if err != nil {
		t.Fatal(err)
	}
	h.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.visits.Add(1)
			h.mu.Lock()
			h.open = append(h.open, c)
			h.mu.Unlock()
			h.wg.Go(func() { h.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		h.mu.Lock()
		for _, c := range h.open {
			_ = c.Close()
		}
		for _, g := range h.groups {
			_ = syscall.Kill(-g, syscall.SIGKILL)
		}
		h.mu.Unlock()
		h.wg.Wait()
	})
	return h
}

func (h *sshHost) serve(c net.Conn) {
	defer c.Close()
	if h.conn != nil {
		h.conn(c)
		return
	}
	config := &ssh.ServerConfig{PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return nil, nil }}
	config.AddHostKey(h.signer)
	if h.login != nil {
		h.login(config)
	}
	conn, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	defer conn.Close()
	go ssh.DiscardRequests(requests)
	for n := range channels {
		h.wg.Go(func() { h.accept(n) })
	}
}

func (h *sshHost) accept(n ssh.NewChannel) {
	if h.channel != nil && h.channel(n) {
		return
	}
	switch n.ChannelType() {
	case "session":
		c, requests, err := n.Accept()
		if err == nil {
			h.session(c, requests)
		}
	case "direct-tcpip":
		h.tunnel(n)
	default:
		_ = n.Reject(ssh.UnknownChannelType, "no such channel")
	}
}

// tunnel connects to an address of the host's own.
func (h *sshHost) tunnel(n ssh.NewChannel) {
	var to struct {
		Host string
		Port uint32
		From string
		At   uint32
	}
	if err := ssh.Unmarshal(n.ExtraData(), &to); err != nil {
		_ = n.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	d, err := net.Dial("tcp", net.JoinHostPort(to.Host, fmt.Sprint(to.Port)))
	if err != nil {
		_ = n.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	defer d.Close()
	c, requests, err := n.Accept()
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	done := make(chan struct{})
	go func() { _, _ = io.Copy(d, c); _ = d.(*net.TCPConn).CloseWrite(); close(done) }()
	_, _ = io.Copy(c, d)
	_ = c.Close()
	<-done
}

// session runs what is asked for by a shell, as sshd does.
func (h *sshHost) session(c ssh.Channel, requests <-chan *ssh.Request) {
	for r := range requests {
		if r.Type != "exec" {
			if r.WantReply {
				_ = r.Reply(false, nil)
			}
			continue
		}
		length := binary.BigEndian.Uint32(r.Payload)
		line := string(r.Payload[4 : 4+length])
		_ = r.Reply(true, nil)
		go ssh.DiscardRequests(requests)
		if h.command != nil && h.command(c, line) {
			return
		}
		h.run(c, line)
		return
	}
}

// program is what a real host has in /usr/local/sbin.
const program = "/usr/local/sbin/labctl-host"

func (h *sshHost) run(c ssh.Channel, line string) {
	defer c.Close()
	cmd := exec.Command("/bin/sh", "-c", strings.ReplaceAll(line, "/bin/sh", h.box.path("bin", "sh")))
	cmd.Dir = h.box.path("host")
	cmd.Env = []string{"PATH=" + h.box.path("host", "bin") + ":" + h.box.path("bin"), "HOME=" + h.box.path("host")}
	var out, errs io.Writer = c, c.Stderr()
	if h.filter != nil {
		out, errs = h.filter(out), h.filter(errs)
	}
	cmd.Stdout, cmd.Stderr = out, errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return
	}
	if err := cmd.Start(); err != nil {
		return
	}
	h.mu.Lock()
	h.groups = append(h.groups, cmd.Process.Pid)
	h.mu.Unlock()
	go func() {
		_, _ = io.Copy(replacing{in, h.box.path("host", "bin", "labctl-host")}, c)
		_ = in.Close()
	}()
	err = cmd.Wait()
	var exit *exec.ExitError
	code := 0
	if errors.As(err, &exit) {
		code = max(exit.ExitCode(), 1)
	}
	_, _ = c.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(code)}))
}

// replacing puts the sandbox's program in the place of the host's.
type replacing struct {
	w  io.Writer
	by string
}

func (r replacing) Write(p []byte) (int, error) {
	_, err := r.w.Write(bytes.ReplaceAll(p, []byte(program), []byte(r.by)))
	return len(p), err
}

// hostPrograms puts the programs of an equipped host into the sandbox.
func (s *sandbox) hostPrograms(t testing.TB, expires string) {
	t.Helper()
	if err := os.MkdirAll(s.path("host", "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path("host", "expires"), []byte(expires), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"sudo": "#!/bin/sh\nexec \"$@\"\n",
		"labctl-host": `#!/bin/sh
case "$1" in
extend) printf %s "$2" >` + s.path("host", "expires") + ` ;;
*) printf 'setup=ready\nstep=ready\ntimer=active\ndocker=27.0.1\nexpires=%s\n' "$(cat ` + s.path("host", "expires") + `)" ;;
esac
`,
	} {
		if err := os.WriteFile(s.path("host", "bin", name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
}
