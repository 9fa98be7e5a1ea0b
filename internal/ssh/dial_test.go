//go:build e2e

package ssh

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"github.com/labctl/labctl/internal/clierr"
)

func TestWrongHostKeyIsRefusedBeforeAnythingIsSent(t *testing.T) {
	s := startServer(t)
	_, other := newKey(t)
	cfg := s.config()
	cfg.HostKey = other
	_, err := Dial(t.Context(), cfg)
	if !errors.Is(err, ErrHostKey) || clierr.ClassOf(err) != clierr.Refused || clierr.NextOf(err) == "" {
		t.Fatalf("got %v (%v)", err, clierr.ClassOf(err))
	}
	for _, line := range []string{other, s.hostKey} {
		fingerprint, ferr := Fingerprint(line)
		if ferr != nil || !strings.Contains(err.Error(), fingerprint) {
			t.Errorf("%v does not name %s (%v)", err, fingerprint, ferr)
		}
	}
	// sshd logs the user of every attempt to authenticate at this level.
	for _, trace := range []string{"publickey", "Accepted", "Failed", "user " + s.user, "authenticating"} {
		if strings.Contains(s.log.String(), trace) {
			t.Errorf("sshd heard of %q", trace)
		}
	}
}

func TestHostKeyOfAnotherType(t *testing.T) {
	s := startServer(t)
	secret, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := xssh.NewPublicKey(&secret.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.config()
	cfg.HostKey = keyLine(public)
	_, err = Dial(t.Context(), cfg)
	if !errors.Is(err, ErrHostKey) || !strings.Contains(err.Error(), "ssh-rsa SHA256:") || !strings.Contains(err.Error(), "the host shows ssh-ed25519 SHA256:") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsRefusedWithoutConnecting(t *testing.T) {
	private, public := newKey(t)
	good := Config{
		Address: "192.0.2.1:22", User: "debian", PrivateKey: private, HostKey: public,
		Dialer: func(context.Context, string, string) (net.Conn, error) {
			t.Error("a connection was made")
			return nil, net.ErrClosed
		},
	}
	for name, change := range map[string]func(*Config){
		"no host key":      func(c *Config) { c.HostKey = " " },
		"a broken one":     func(c *Config) { c.HostKey = "ssh-ed25519 AAAA" },
		"two":              func(c *Config) { c.HostKey = public + "\n" + public },
		"no private key":   func(c *Config) { c.PrivateKey = nil },
		"no user":          func(c *Config) { c.User = "" },
		"no address":       func(c *Config) { c.Address = "" },
		"a public for it":  func(c *Config) { c.PrivateKey = []byte(public) },
		"half a key of it": func(c *Config) { c.PrivateKey = private[:len(private)/2] },
	} {
		cfg := good
		change(&cfg)
		_, err := Dial(t.Context(), cfg)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if strings.Contains(err.Error(), "PRIVATE") || strings.Contains(err.Error(), string(private[60:100])) {
			t.Errorf("%s: the key is in the error: %v", name, err)
		}
	}
	cfg := good
	cfg.HostKey = ""
	if _, err := Dial(t.Context(), cfg); clierr.ClassOf(err) != clierr.Refused {
		t.Errorf("without a pinned key: %v", err)
	}
}

func TestRefusedUser(t *testing.T) {
	s := startServer(t)
	stranger, _ := newKey(t)
	for name, change := range map[string]func(*Config){
		"key":  func(c *Config) { c.PrivateKey = stranger },
		"user": func(c *Config) { c.User = "nobody-of-that-name" },
	} {
		cfg := s.config()
		change(&cfg)
		_, err := Dial(t.Context(), cfg)
		if !errors.Is(err, ErrAuth) || errors.Is(err, ErrHostKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDialHasAnEnd(t *testing.T) {
	noLeak(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	private, public := newKey(t)
	cfg := Config{Address: silent.Addr().String(), User: "debian", PrivateKey: private, HostKey: public, Timeout: 100 * time.Millisecond}
	within(t, 10*time.Second, "dialling a silent host", func() {
		_, err := Dial(t.Context(), cfg)
		if err == nil || !strings.Contains(err.Error(), "not done within 100ms") || !strings.Contains(err.Error(), "sent nothing") {
			t.Errorf("got %v", err)
		}
	})
	cfg.Timeout = time.Hour
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
	within(t, 10*time.Second, "giving up", func() {
		if _, err := Dial(ctx, cfg); !errors.Is(err, why) {
			t.Errorf("got %v", err)
		}
	})
}

func TestUserWhoMayNotRunCommands(t *testing.T) {
	s := startServer(t, "ForceCommand echo 'Please log in as somebody else.'; exit 42")
	c := s.dial(t)
	err := c.Run(background(t, time.Minute), argv("true"))
	if err == nil || !strings.Contains(err.Error(), "Please log in as somebody else.") || !strings.Contains(err.Error(), "exit status 42") || errors.Is(err, ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
}
