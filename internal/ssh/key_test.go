package ssh

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestGenerateKeyIsWhatSSHReads(t *testing.T) {
	private, public := newKey(t)
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, private, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ssh-keygen", "-y", "-f", path).Output()
	if err != nil || !strings.HasPrefix(string(out), public) || !strings.HasPrefix(public, "ssh-ed25519 ") {
		t.Errorf("%q is not %q: %v", out, public, err)
	}
	out, err = exec.Command("ssh-keygen", "-l", "-f", path).Output()
	if fingerprint, ferr := Fingerprint(public); err != nil || ferr != nil || !strings.Contains(string(out), fingerprint) {
		t.Errorf("fingerprint %s is not in %q: %v %v", fingerprint, out, err, ferr)
	}
	if other, _ := newKey(t); bytes.Equal(other, private) {
		t.Error("two keys are the same")
	}
}

func TestPrivateKeyDoesNotPrint(t *testing.T) {
	private, public := newKey(t)
	cfg := Config{Address: "192.0.2.1", User: "debian", PrivateKey: private, HostKey: public}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("dialling", "key", private)
	all := log.String() + fmt.Sprintf("%v %+v %#v %s %q %x %d", cfg, cfg, cfg, private, private, private, private) + fmt.Sprint(fmt.Errorf("with %v", cfg))
	for _, secret := range []string{"PRIVATE KEY", fmt.Sprintf("%x", []byte(private[40:60])), fmt.Sprint([]byte(private[40:60]))[1:20], string(private[60:80])} {
		if strings.Contains(all, secret) {
			t.Errorf("%q is in %s", secret, all)
		}
	}
	if !strings.Contains(all, hidden) {
		t.Errorf("nothing says that there is a key: %s", all)
	}
	// It has to survive being stored, though.
	var back Config
	data, err := json.Marshal(struct{ PrivateKey PrivateKey }{private})
	if err != nil || json.Unmarshal(data, &back) != nil || !bytes.Equal(back.PrivateKey, private) {
		t.Errorf("%s, %v", data, err)
	}
}

func TestParseHostKey(t *testing.T) {
	_, public := newKey(t)
	for _, line := range []string{public, public + " root@host", "  " + public + "\r\n", `no-pty ` + public + " x"} {
		if got, err := ParseHostKey(line); err != nil || got != public {
			t.Errorf("%q: %q, %v", line, got, err)
		}
	}
	for _, line := range []string{"", "ssh-ed25519", public[:40], "# " + public, public + "\n" + public} {
		if got, err := ParseHostKey(line); err == nil {
			t.Errorf("%q is %q", line, got)
		}
	}
}

func TestHostKeyFromConsole(t *testing.T) {
	_, a := newKey(t)
	_, b := newKey(t)
	const marker = "labctl-host-key:"
	for name, c := range map[string]struct {
		console string
		found   bool
		err     error
	}{
		"nothing yet":          {"booting\n", false, nil},
		"there":                {"booting\r\n" + marker + " " + a + " root@ip-10-0-0-1\r\nlogin: ", true, nil},
		"as cloud-init writes": {"[   17.3] cloud-init[512]: " + marker + " " + a + "\n", true, nil},
		"twice the same":       {marker + a + "\nreboot\n" + marker + a + "\n", true, nil},
		"cut off":              {marker + " " + a[:len(a)-10], false, nil},
		"torn by the kernel":   {marker + " " + a[:30] + "[   17.4] audit: x\n", false, nil},
		"torn, then whole":     {marker + " " + a[:30] + "[ 17.4] x\n" + marker + " " + a + "\n", true, nil},
		"behind a bare return": {"\r[  1.0] usb\r" + marker + " " + a + "\n", true, nil},
		"no key":               {marker + "\n" + marker + " soon\n", false, nil},
		"two different":        {marker + " " + a + "\n" + marker + " " + b + "\n", false, ErrHostKeysDiffer},
		"another's marker":     {"other: " + b + "\n", false, nil},
	} {
		got, found, err := HostKeyFromConsole(c.console, marker)
		if found != c.found || !errors.Is(err, c.err) || c.err == nil && err != nil || found && got != a {
			t.Errorf("%s: %q, %v, %v", name, got, found, err)
		}
	}
	if _, _, err := HostKeyFromConsole(a, ""); err == nil {
		t.Error("an empty marker is accepted")
	}
}

func newKey(t *testing.T) (PrivateKey, string) {
	t.Helper()
	private, public, err := GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return private, public
}

// FuzzConsole: no console, whatever is printed on it, gives a key that is none.
func FuzzConsole(f *testing.F) {
	_, public, err := GenerateKey()
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{"", "M", "M " + public, "x M " + public + "\r\nM " + public + " y", "M: ssh-ed25519 AAAA", "MM=" + public, "M ssh-ed25519\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, console string) {
		key, found, err := HostKeyFromConsole(console, "M")
		if found && err == nil {
			if again, perr := ParseHostKey(key); perr != nil || again != key {
				t.Errorf("%q is no key: %v", key, perr)
			}
		} else if key != "" {
			t.Errorf("key %q, found %v, %v", key, found, err)
		}
	})
}
