package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/ssh"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/provision/ec2"
)

const pinned = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"

// onHost is a session of a lab on a host, and an ssh that writes its arguments down and exits with 7.
func onHost(t *testing.T) (s *session, written string) {
	t.Helper()
	bin, written := t.TempDir(), filepath.Join(t.TempDir(), "args")
	script := "#!/bin/sh\nprintf '%s\\n' \"$@\" >" + written + "\nexit 7\n"
	if err := os.WriteFile(filepath.Join(bin, "ssh"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	key, _, err := ssh.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	files := state.Home{Dir: t.TempDir()}.Lab("lab")
	if err := files.WriteFile(keyFile, key); err != nil {
		t.Fatal(err)
	}
	a := newApp(Process{Environ: []string{"PATH=" + bin + ":/bin:/usr/bin"}, Err: os.Stderr})
	r := &remote{key: key}
	r.Host = ec2.NewHost(&labfile.Host{Name: "bench"}, provision.Ownership{}, nil, nil, &ec2.HostState{InstanceID: "i-1", Address: "172.29.0.9", HostKey: pinned})
	return &session{app: a, lab: &labfile.Lab{Name: "lab", Path: "lab.hcl"}, files: files, remote: r}, written
}

// TestSSHRunsTheSystems: the pinned key and no other, the words as they were given, the exit code as it is.
func TestSSHRunsTheSystems(t *testing.T) {
	s, written := onHost(t)
	for _, c := range []struct {
		command []string
		last    []string
	}{
		{nil, []string{"172.29.0.9"}},
		{[]string{"ls | wc -l"}, []string{"172.29.0.9", "ls | wc -l"}},
		{[]string{"echo", "a b", "$HOME"}, []string{"172.29.0.9", `echo 'a b' '$HOME'`}},
	} {
		argv, err := s.sshArgv(c.command)
		if err != nil {
			t.Fatal(err)
		}
		if code := s.app.report(s.app.runInside(t.Context(), s.app.Environ, argv)); code != 7 {
			t.Errorf("%q: exit code %d; want ssh's own", c.command, code)
		}
		raw, err := os.ReadFile(written)
		if err != nil {
			t.Fatal(err)
		}
		got := string(raw)
		if !strings.HasSuffix(got, "\n"+strings.Join(c.last, "\n")+"\n") {
			t.Errorf("%q ends with\n%s", c.command, got)
		}
		for _, option := range []string{"StrictHostKeyChecking=yes", "GlobalKnownHostsFile=/dev/null", "IdentitiesOnly=yes", "-l\n" + ec2.User} {
			if !strings.Contains(got, option) {
				t.Errorf("%q without %s", c.command, option)
			}
		}
		if strings.Contains(got, "PRIVATE KEY") {
			t.Error("the private key is among the arguments")
		}
	}
	known, err := os.ReadFile(s.files.Path("known_hosts"))
	if err != nil || !strings.Contains(string(known), pinned) {
		t.Errorf("known hosts %q, %v; want the pinned key", known, err)
	}
}

func TestSSHWithoutAHost(t *testing.T) {
	for name, change := range map[string]func(*session){
		"stopped":       func(s *session) { s.remote.State.Stopped = time.Now() },
		"key not known": func(s *session) { s.remote.State.HostKey = "" },
		"no ssh":        func(s *session) { s.app.Environ = []string{"PATH=/nowhere"} },
	} {
		s, _ := onHost(t)
		change(s)
		if _, err := s.sshArgv(nil); clierr.ClassOf(err) != clierr.Refused || clierr.NextOf(err) == "" {
			t.Errorf("%s: %v; want it refused, with what to do", name, err)
		}
	}
}

func TestExtension(t *testing.T) {
	for text, want := range map[string]time.Duration{"2h": 2 * time.Hour, "90m": 90 * time.Minute, "72h": 72 * time.Hour, "1m": time.Minute} {
		if got, err := extension(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "2", "-1h", "0s", "73h", "soon", "30s"} {
		if _, err := extension(text); clierr.ClassOf(err) != clierr.Usage || clierr.NextOf(err) == "" {
			t.Errorf("%s: %v; want a usage error", text, err)
		}
	}
	for d, want := range map[time.Duration]string{2 * time.Hour: "2h", 90 * time.Minute: "1h30m", 45 * time.Minute: "45m"} {
		if got := spell(d); got != want {
			t.Errorf("%s is spelled %s", d, got)
		}
	}
}
