package lab

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/ssh"
	"github.com/labctl/labctl/internal/state"
)

// TestTheOnlyKeyIsKept: the private key is the only way to a host that runs. Whatever became of the public one's
// file, no new pair takes its place.
func TestTheOnlyKeyIsKept(t *testing.T) {
	private, public, err := ssh.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(path string) error{
		"as it was":      func(string) error { return nil },
		"lost":           os.Remove,
		"empty":          func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"somebody's":     func(path string) error { return os.WriteFile(path, []byte("ssh-ed25519 AAAA x\n"), 0o600) },
		"not to be read": func(path string) error { _ = os.Remove(path); return os.Mkdir(path, 0o700) },
	} {
		files := state.Home{Dir: t.TempDir()}.Lab("a")
		for file, text := range map[string][]byte{keyFile: private, publicFile: []byte(public + "\n")} {
			if err := files.WriteFile(file, text); err != nil {
				t.Fatal(err)
			}
		}
		if err := spoil(files.Path(publicFile)); err != nil {
			t.Fatal(err)
		}
		key, line, err := hostKeys(files)
		if err != nil || !bytes.Equal(key, private) || line != public {
			t.Errorf("public key %s: %q, %v; want the pair that was there", name, line, err)
		}
	}
}

// TestUnreadableKey: nothing is changed by whoever would need it, AWS is not called, and the file stays.
func TestUnreadableKey(t *testing.T) {
	calls := awsFake(t)
	m := laptop(t, true)
	home, err := m.Home()
	if err != nil {
		t.Fatal(err)
	}
	files, st := home.Lab("a"), stateOf(t, rented())
	const damaged = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz"
	if err := files.WriteFile(keyFile, []byte(damaged)); err != nil {
		t.Fatal(err)
	}
	if err := files.Save(st); err != nil {
		t.Fatal(err)
	}
	declared := &labfile.Lab{
		Name: "a", Host: &labfile.Host{Type: "ec2", Name: "bench", Region: "eu-central-1"}, Cluster: &labfile.Cluster{Type: "kind", Name: "c"},
	}
	l, err := m.assemble(t.Context(), declared, nil, files, st)
	if err != nil {
		t.Fatal(err)
	}
	release, err := l.lock(t.Context(), awaitNone)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	for name, act := range map[string]func() error{
		"preflight": func() error { return l.remote.Preflight(t.Context()) },
		"apply":     func() error { return l.remote.Apply(t.Context(), event.Discard) },
		"start":     func() error { return l.remote.Start(t.Context(), event.Discard) },
		"extend":    func() error { _, err := l.remote.Extend(t.Context(), event.Discard, time.Hour); return err },
		"observe":   func() error { _, err := l.remote.Observe(t.Context()); return err },
	} {
		err := act()
		if clierr.ClassOf(err) != clierr.Refused || !strings.Contains(err.Error(), files.Path(keyFile)) || !strings.Contains(clierr.NextOf(err), "labctl down") {
			t.Errorf("%s: %v; next: %s", name, err, clierr.NextOf(err))
		}
	}
	if text, err := os.ReadFile(files.Path(keyFile)); err != nil || string(text) != damaged {
		t.Errorf("the key's file now reads %q, %v", text, err)
	}
	if n := calls.Load(); n > 0 {
		t.Errorf("AWS was called %d times", n)
	}
	// What needs no login does not need the key: it is AWS that refuses here.
	if err := m.destroyAll(t.Context(), l.remote); err == nil || calls.Load() == 0 || strings.Contains(err.Error(), keyFile) {
		t.Errorf("down, after %d calls: %v; want AWS's refusal", calls.Load(), err)
	}
}
