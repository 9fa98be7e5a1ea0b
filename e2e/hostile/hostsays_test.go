//go:build e2e

package hostile

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// onSSH is a way of the host, of its whole connection unless the behaviour says of which part.
func onSSH(name string, b behaviour, f func(*sshHost)) behaviour {
	b.name = "host " + name
	if b.side == "" {
		b.side = host
	}
	b.prepare = func(_ *testing.T, s *stage) { f(s.host) }
	return b
}

// nastyText is nasty as bytes, C1 among them that are no UTF-8.
const nastyText = "\x1b[2J\x1b[31mred\x1b]0;owned\x07\u009b31m\u0085\x9b31m\x7f\b\rover\u202eturned\u2066\u200f"

// forever writes until nobody reads.
func forever(w io.Writer) { pour(w, []byte(strings.Repeat("A", 1<<20))) }

// pour writes a block again and again, 10 GB in all: as fast as it is read until somebody who kept it would have
// been found out, then no faster than is polite to the other tests.
func pour(w io.Writer, block []byte) {
	for written := 0; written < 10<<30; written += len(block) {
		if written > 3*mostMemory {
			time.Sleep(10 * time.Millisecond)
		}
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// wait returns when the other end has gone.
func wait(r io.Reader) { _, _ = io.Copy(io.Discard, r) }

// filtered is what becomes of a command's output.
type filtered struct {
	w io.Writer
	f func(io.Writer, []byte) error
}

func (f filtered) Write(p []byte) (int, error) {
	// What the two scripts say first is not the command's.
	if strings.HasPrefix(string(p), "labctl-") {
		return f.w.Write(p)
	}
	return len(p), f.f(f.w, p)
}

func filter(f func(io.Writer, []byte) error) func(*sshHost) {
	return func(h *sshHost) { h.filter = func(w io.Writer) io.Writer { return filtered{w, f} } }
}

var hostBehaviours = []behaviour{
	onSSH("well", behaviour{well: true}, func(*sshHost) {}),
	onSSH("closes", behaviour{dead: true}, func(h *sshHost) { h.conn = func(net.Conn) {} }),
	onSSH("silent", behaviour{dead: true, waits: true}, func(h *sshHost) { h.conn = func(c net.Conn) { wait(c) } }),
	onSSH("endless version", behaviour{dead: true}, func(h *sshHost) { h.conn = func(c net.Conn) { forever(c) } }),
	onSSH("nasty version", behaviour{dead: true}, func(h *sshHost) {
		h.conn = func(c net.Conn) { _, _ = io.WriteString(c, "SSH-1.0-"+nastyText+"\r\n"); wait(c) }
	}),
	onSSH("http", behaviour{dead: true}, func(h *sshHost) {
		h.conn = func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }
	}),
	onSSH("half a handshake", behaviour{dead: true, waits: true}, func(h *sshHost) {
		h.conn = func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-x\r\n"); wait(c) }
	}),
	onSSH("other key", behaviour{dead: true}, func(h *sshHost) {
		if s, err := hostKey(); err == nil {
			h.signer = s
		}
	}),
	onSSH("refuses the user", behaviour{dead: true}, func(h *sshHost) {
		h.login = func(c *ssh.ServerConfig) {
			c.PublicKeyCallback = func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return nil, errors.New("no") }
			c.BannerCallback = func(ssh.ConnMetadata) string { return nastyText + strings.Repeat("A", 20_000) }
		}
	}),
	onSSH("silent login", behaviour{dead: true, waits: true}, func(h *sshHost) {
		h.login = func(c *ssh.ServerConfig) {
			c.PublicKeyCallback = func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
				time.Sleep(time.Minute)
				return nil, errors.New("no")
			}
		}
	}),
	onSSH("nasty banner", behaviour{}, func(h *sshHost) {
		h.login = func(c *ssh.ServerConfig) { c.BannerCallback = func(ssh.ConnMetadata) string { return nastyText } }
	}),
	onSSH("no channels", behaviour{dead: true}, func(h *sshHost) {
		h.channel = func(n ssh.NewChannel) bool { _ = n.Reject(ssh.Prohibited, nastyText); return true }
	}),
	onSSH("no room", behaviour{dead: true}, func(h *sshHost) {
		h.channel = func(n ssh.NewChannel) bool { _ = n.Reject(ssh.ResourceShortage, "full"); return true }
	}),
	onSSH("silent channels", behaviour{dead: true, waits: true}, func(h *sshHost) {
		h.channel = func(ssh.NewChannel) bool { time.Sleep(time.Minute); return true }
	}),
	onSSH("silent sessions", behaviour{side: session, dead: true, waits: true}, func(h *sshHost) {
		h.command = func(c ssh.Channel, _ string) bool { wait(c); return true }
	}),
	onSSH("sessions end", behaviour{side: session, dead: true}, func(h *sshHost) {
		h.command = func(c ssh.Channel, _ string) bool { _ = c.Close(); return true }
	}),
	onSSH("sessions fail", behaviour{side: session, dead: true}, func(h *sshHost) {
		h.command = func(c ssh.Channel, _ string) bool {
			_, _ = c.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{1<<32 - 1}))
			_ = c.Close()
			return true
		}
	}),
	onSSH("nasty greeting", behaviour{side: session, dead: true}, func(h *sshHost) {
		h.command = func(c ssh.Channel, _ string) bool {
			_, _ = io.WriteString(c, nastyText+"\nThis account is currently not available.\n")
			_, _ = io.WriteString(c.Stderr(), nastyText)
			_ = c.Close()
			return true
		}
	}),
	onSSH("endless greeting", behaviour{side: session, dead: true}, func(h *sshHost) {
		h.command = func(c ssh.Channel, _ string) bool { forever(c); return true }
	}),
	onSSH("endless complaint", behaviour{side: session, dead: true}, func(h *sshHost) {
		h.command = func(c ssh.Channel, _ string) bool { forever(c.Stderr()); return true }
	}),
	onSSH("killed by a signal", behaviour{side: session, dead: true}, func(h *sshHost) {
		h.command = func(c ssh.Channel, _ string) bool {
			_, _ = c.SendRequest("exit-signal", false, ssh.Marshal(struct {
				Name       string
				Core       bool
				Text, Lang string
			}{nastyText, true, nastyText, ""}))
			_ = c.Close()
			return true
		}
	}),
	onSSH("endless output", behaviour{side: session, dead: true}, filter(func(w io.Writer, _ []byte) error { forever(w); return io.EOF })),
	onSSH("breaks off", behaviour{side: session, dead: true}, filter(func(w io.Writer, p []byte) error {
		_, _ = w.Write(p[:len(p)/2])
		return errors.New("broken off")
	})),
	onSSH("half, then silent", behaviour{side: session, dead: true, waits: true}, filter(func(w io.Writer, p []byte) error {
		_, _ = w.Write(p[:len(p)/2])
		time.Sleep(time.Minute)
		return io.EOF
	})),
	onSSH("html", behaviour{side: session, dead: true}, filter(func(w io.Writer, _ []byte) error {
		_, err := io.WriteString(w, "<html><body>502</body></html>\n")
		return err
	})),
	onSSH("nasty output", behaviour{side: session}, filter(func(w io.Writer, p []byte) error {
		_, err := w.Write([]byte(strings.ReplaceAll(string(p), "\n", nastyText+"\n")))
		return err
	})),
	onSSH("nasty output-json", behaviour{side: session, json: true}, filter(func(w io.Writer, p []byte) error {
		_, err := w.Write([]byte(strings.ReplaceAll(string(p), "\n", nastyText+"\n")))
		return err
	})),
	onSSH("no tunnels", behaviour{side: tunnel, dead: true}, func(h *sshHost) {
		h.channel = func(n ssh.NewChannel) bool {
			if n.ChannelType() != "direct-tcpip" {
				return false
			}
			_ = n.Reject(ssh.Prohibited, nastyText)
			return true
		}
	}),
	onSSH("silent tunnels", behaviour{side: tunnel, dead: true, waits: true}, func(h *sshHost) {
		h.channel = func(n ssh.NewChannel) bool {
			if n.ChannelType() != "direct-tcpip" {
				return false
			}
			c, requests, err := n.Accept()
			if err == nil {
				go ssh.DiscardRequests(requests)
				wait(c)
			}
			return true
		}
	}),
	onSSH("drops the connection", behaviour{side: session, dead: true}, func(h *sshHost) {
		h.command = func(c ssh.Channel, line string) bool {
			h.mu.Lock()
			defer h.mu.Unlock()
			for _, c := range h.open {
				_ = c.Close()
			}
			return true
		}
	}),
	// What the host's own engine says over SSH.
	engineOnHost("silent", behaviour{dead: true, waits: true}),
	engineOnHost("refuses", behaviour{dead: true}),
	engineOnHost("endless", behaviour{dead: true}),
	engineOnHost("nasty", behaviour{}),
	engineOnHost("nasty-stderr", behaviour{dead: true}),
	engineOnHost("foreign", behaviour{}),
	// AWS.
	{name: "aws well", side: aws, well: true, prepare: func(*testing.T, *stage) {}},
	onAWS("silent", behaviour{dead: true, waits: true}, hang),
	onAWS("500", behaviour{dead: true, waits: true}, status(500, "<Response><Errors><Error><Code>InternalError</Code><Message>"+nastyXML+"</Message></Error></Errors></Response>")),
	onAWS("denied", behaviour{dead: true}, status(403, "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>"+nastyXML+"</Message></Error></Errors></Response>")),
	onAWS("html", behaviour{dead: true, waits: true}, body("<html><body>Sign in to the hotel's network</body></html>")),
	onAWS("half", behaviour{dead: true, waits: true}, body("<DescribeInstancesResponse><reservationSet><item>")),
	onAWS("endless", behaviour{dead: true}, flood("<DescribeInstancesResponse><reservationSet>", "<item></item>")),
}

const nastyXML = "&#x9b;31m\u009b31m&#x7f;\u202e"

func engineOnHost(name string, b behaviour) behaviour {
	b.name, b.side = "host engine "+name, far
	b.prepare = func(t *testing.T, s *stage) { s.say(t, name) }
	return b
}

func onAWS(name string, b behaviour, f func(http.ResponseWriter, *http.Request)) behaviour {
	b.name, b.side = "aws "+name, aws
	b.prepare = func(_ *testing.T, s *stage) {
		s.cloud.first = func(w http.ResponseWriter, r *http.Request) bool { f(w, r); return true }
	}
	return b
}
