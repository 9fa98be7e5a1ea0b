package ssh

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	xssh "golang.org/x/crypto/ssh"

	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/untrusted"
)

// hostile is a connection to a host that lets everybody in and treats each channel as serve does.
func hostile(t *testing.T, serve func(xssh.NewChannel)) *Conn {
	t.Helper()
	_, secret, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := xssh.NewSignerFromKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	server := &xssh.ServerConfig{PublicKeyCallback: func(xssh.ConnMetadata, xssh.PublicKey) (*xssh.Permissions, error) { return nil, nil }}
	server.AddHostKey(signer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		tcp, err := l.Accept()
		if err != nil {
			return
		}
		_, channels, requests, err := xssh.NewServerConn(tcp, server)
		if err != nil {
			return
		}
		go xssh.DiscardRequests(requests)
		for ch := range channels {
			go serve(ch)
		}
	}()
	private, _, err := GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	c, err := Dial(t.Context(), Config{
		Address: l.Addr().String(), User: "labctl", PrivateKey: private, HostKey: keyLine(signer.PublicKey()),
		start: 300 * time.Millisecond, trail: 300 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// accepted takes a session and says yes to what is asked for in it.
func accepted(ch xssh.NewChannel) xssh.Channel {
	channel, requests, err := ch.Accept()
	if err != nil {
		return nil
	}
	go func() {
		for r := range requests {
			if r.WantReply {
				r.Reply(true, nil)
			}
		}
	}()
	return channel
}

// ended fails unless the act returns soon, with or without an error.
func ended(t *testing.T, act func(context.Context) error) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- act(ctx) }()
	select {
	case err := <-done:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("it has no end of its own")
		return nil
	}
}

// TestHostThatNeverAnswers: it keeps the connection alive and opens no channel.
func TestHostThatNeverAnswers(t *testing.T) {
	c := hostile(t, func(xssh.NewChannel) {})
	err := ended(t, func(ctx context.Context) error { return c.Run(ctx, command.Command{Argv: []string{"true"}}) })
	if err == nil || !strings.Contains(err.Error(), "has not answered within 300ms") {
		t.Errorf("a command: %v", err)
	}
	err = ended(t, func(ctx context.Context) error { _, err := c.DialContext(ctx, "tcp", "127.0.0.1:1"); return err })
	if err == nil || !strings.Contains(err.Error(), "has not answered within 300ms") {
		t.Errorf("a connection: %v", err)
	}
}

// endless reads as one line that never ends, and counts what is taken of it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	if e.read > 16<<20 {
		return 0, errors.New("16 MiB were read")
	}
	copy(p, bytes.Repeat([]byte("x"), len(p)))
	return len(p), nil
}

// TestGreetingWithoutEnd: what comes before a shell's greeting is kept up to a bound, also when it is one line.
func TestGreetingWithoutEnd(t *testing.T) {
	e := &endless{}
	if _, _, err := skipTo(bufio.NewReader(e), hello); err == nil || e.read > 1<<20 {
		t.Errorf("%v after %d bytes", err, e.read)
	}
	before, rest, err := skipTo(bufio.NewReader(strings.NewReader(strings.Repeat("y", 9000)+"\n"+hello+" 7\nmore")), hello+" ")
	if err != nil || rest != "7" || len(before) != 9001 {
		t.Errorf("%d bytes, %q, %v; want a long line and the greeting behind it", len(before), rest, err)
	}
}

// TestOutputWithoutEnd: a command has exited, and what it has left behind goes on printing.
func TestOutputWithoutEnd(t *testing.T) {
	c := hostile(t, func(ch xssh.NewChannel) {
		channel := accepted(ch)
		io.WriteString(channel, hello+" 4711\n")
		io.WriteString(channel.Stderr(), hello+"\n")
		if line, err := bufio.NewReader(channel).ReadString('\n'); err != nil || !strings.HasPrefix(line, "command -v") {
			return // the process that watches, or a spare shell
		}
		io.WriteString(channel.Stderr(), hello+"\n")
		channel.SendRequest("exit-status", false, xssh.Marshal(struct{ Status uint32 }{3}))
		for {
			if _, err := io.WriteString(channel, "more\n"); err != nil {
				return
			}
		}
	})
	err := ended(t, func(ctx context.Context) error {
		return c.Run(ctx, command.Command{Argv: []string{"true"}, Stdout: io.Discard})
	})
	var exit *command.ExitError
	if !errors.As(err, &exit) || exit.Code != 3 {
		t.Errorf("%v; want exit status 3", err)
	}
}

// TestNothingMovesTheCursor: what a host says stands in errors, which go to a terminal.
func TestNothingMovesTheCursor(t *testing.T) {
	const said = "a\x1b[2Jb\u009b31mc\u202ed\x07e\xfff"
	kept := untrusted.NewTail(tailSize)
	io.WriteString(kept, said+"\n\tg")
	for _, text := range []string{kept.String(), oneLine(said)} {
		acts := func(r rune) bool {
			return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r))
		}
		if strings.ContainsFunc(text, acts) || !utf8.ValidString(text) || !strings.HasPrefix(text, "a") || !strings.Contains(text, "f") {
			t.Errorf("%q", text)
		}
	}
}

// TestUnreachable: an address where nothing answers is told from one whose machine refuses the connection: there
// somebody is.
func TestUnreachable(t *testing.T) {
	private, _, err := GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	_, host, err := GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		dial        func(context.Context) error
		unreachable bool
	}{
		"nothing answers": {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, true},
		"no route":        {func(context.Context) error { return syscall.EHOSTUNREACH }, true},
		"refused":         {func(context.Context) error { return syscall.ECONNREFUSED }, false},
	} {
		_, err := Dial(t.Context(), Config{
			Address: "192.0.2.1:22", User: "labctl", PrivateKey: private, HostKey: host, Timeout: 20 * time.Millisecond,
			Dialer: func(ctx context.Context, _, _ string) (net.Conn, error) { return nil, c.dial(ctx) },
		})
		if err == nil || errors.Is(err, ErrUnreachable) != c.unreachable {
			t.Errorf("%s: %v; want unreachable: %v", name, err, c.unreachable)
		}
	}
}
