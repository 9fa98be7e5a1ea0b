//go:build e2e

package ssh

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The system's ssh reaches the same host, and only with the pinned key.
func TestSystemSSH(t *testing.T) {
	program, err := exec.LookPath("ssh")
	if err != nil {
		t.Fatal("this test needs the system's ssh: apt-get install openssh-client")
	}
	s := startServer(t)
	dir := filepath.Join(t.TempDir(), `a "folder" of 100% œ`)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	ssh := func(cfg Config) (string, error) {
		args, err := SystemSSHArgs(dir, cfg)
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(program, append(args, "echo reached; echo $0")...).CombinedOutput()
		return string(out), err
	}
	for range 2 {
		if out, err := ssh(s.config()); err != nil || !strings.HasPrefix(out, "reached\n") {
			t.Errorf("%q, %v", out, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
	_, other := newKey(t)
	cfg := s.config()
	cfg.HostKey = other
	if out, err := ssh(cfg); err == nil || strings.Contains(out, "reached") || !strings.Contains(out, "REMOTE HOST IDENTIFICATION HAS CHANGED") {
		t.Errorf("with another host key: %q, %v", out, err)
	}
	cfg = s.config()
	cfg.PrivateKey, _ = newKey(t)
	if out, err := ssh(cfg); err == nil || strings.Contains(out, "reached") {
		t.Errorf("with another user's key: %q, %v", out, err)
	}
	for _, change := range []func(*Config){
		func(c *Config) { c.User = "-oProxyCommand=x" },
		func(c *Config) { c.Address = "-oProxyCommand=x:22" },
		func(c *Config) { c.HostKey = "" },
	} {
		cfg := s.config()
		change(&cfg)
		if args, err := SystemSSHArgs(dir, cfg); err == nil {
			t.Errorf("accepted: %q", args)
		}
	}
	if _, err := SystemSSHArgs(filepath.Join(dir, "none"), s.config()); err == nil {
		t.Error("a folder that is not there is accepted")
	}
}
