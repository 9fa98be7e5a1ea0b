package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/ssh"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision/ec2"
)

const pinned = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"

// onHost is a lab on a host, and an ssh that writes its arguments down.
func onHost(t *testing.T) (l *Lab, written string) {
	t.Helper()
	bin, written := t.TempDir(), filepath.Join(t.TempDir(), "args")
	script := "#!/bin/sh\nprintf '%s\\n' \"$@\" >" + written + "\n"
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
	m := &Machine{Environ: []string{"PATH=" + bin + ":/bin:/usr/bin"}}
	r := &remoteHost{key: key}
	r.Host = &ec2.Host{Spec: &labfile.Host{Name: "bench"}, State: &ec2.HostState{InstanceID: "i-1", Address: "172.29.0.9", HostKey: pinned}}
	return &Lab{m: m, Declared: &labfile.Lab{Name: "lab", Path: "lab.hcl"}, files: files, remote: r}, written
}

// TestSSHIsTheSystems: the pinned key and no other, the words as they were given.
func TestSSHIsTheSystems(t *testing.T) {
	l, written := onHost(t)
	for _, c := range []struct {
		command []string
		tty     bool
		last    []string
	}{
		{nil, false, []string{"172.29.0.9"}},
		{nil, true, []string{"172.29.0.9"}}, // ssh asks for a terminal by itself
		{[]string{"ls | wc -l"}, false, []string{"172.29.0.9", "ls | wc -l"}},
		{[]string{"ls | wc -l"}, true, []string{"172.29.0.9", "ls | wc -l"}},
		{[]string{"echo", "a b", "$HOME"}, false, []string{"172.29.0.9", `echo 'a b' '$HOME'`}},
	} {
		argv, err := l.SSHCommand(c.command, c.tty)
		if err != nil {
			t.Fatal(err)
		}
		if asks := slices.Contains(argv, "-t"); asks != (c.tty && c.command != nil) {
			t.Errorf("%q, on a terminal %v: asks for one %v", c.command, c.tty, asks)
		}
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
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
	known, err := os.ReadFile(l.files.Path("known_hosts"))
	if err != nil || !strings.Contains(string(known), pinned) {
		t.Errorf("known hosts %q, %v; want the pinned key", known, err)
	}
}

func TestSSHWithoutAHost(t *testing.T) {
	for name, change := range map[string]func(*Lab){
		"stopped":       func(l *Lab) { l.remote.State.Stopped = time.Now() },
		"key not known": func(l *Lab) { l.remote.State.HostKey = "" },
		"no ssh":        func(l *Lab) { l.m.Environ = []string{"PATH=/nowhere"} },
	} {
		l, _ := onHost(t)
		change(l)
		if _, err := l.SSHCommand(nil, false); clierr.ClassOf(err) != clierr.Refused || clierr.NextOf(err) == "" {
			t.Errorf("%s: %v; want it refused, with what to do", name, err)
		}
	}
}

// A link that a shell uses at this moment points to the old target or to the new one.
func TestReplaceLink(t *testing.T) {
	link := filepath.Join(t.TempDir(), "kubectl")
	for _, target := range []string{"/one", "/two", "/two"} {
		if err := replaceLink(target, link); err != nil {
			t.Fatal(err)
		}
		if got, err := os.Readlink(link); err != nil || got != target {
			t.Errorf("%s, %v; want %s", got, err, target)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(link)); err != nil || len(entries) != 1 {
		t.Errorf("%d files are left, %v", len(entries), err)
	}
}

func TestASolutionHasNoCredentials(t *testing.T) {
	got := (&Env{Environ: []string{"PATH=/bin", "AWS_SECRET_ACCESS_KEY=x", "GITHUB_TOKEN=x", "KUBECONFIG=/k", "LC_ALL=C", "SSH_AUTH_SOCK=/s", "DOCKER_HOST=unix:///d", "HTTPS_PROXY=http://u:p@x"}}).Bare()
	if want := []string{"PATH=/bin", "KUBECONFIG=/k", "LC_ALL=C", "DOCKER_HOST=unix:///d"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
