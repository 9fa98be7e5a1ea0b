package ssh

import (
	"bytes"
	"encoding/json"
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

func TestParseKey(t *testing.T) {
	_, public := newKey(t)
	for _, line := range []string{public, public + " root@host", "  " + public + "\r\n", `no-pty ` + public + " x"} {
		if got, err := parseKey(line); err != nil || keyLine(got) != public {
			t.Errorf("%q: %v, %v", line, got, err)
		}
	}
	for _, line := range []string{"", "ssh-ed25519", public[:40], "# " + public, public + "\n" + public} {
		if got, err := parseKey(line); err == nil {
			t.Errorf("%q is %v", line, got)
		}
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
