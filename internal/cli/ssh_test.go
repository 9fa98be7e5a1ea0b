package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/ssh"
	"github.com/labctl/labctl/internal/state"
)

// TestSSHRunsTheSystems: the pinned key and no other, the words as they were given, the exit code as it is.
func TestSSHRunsTheSystems(t *testing.T) {
	const pinned = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"
	bin, home, written := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "args")
	script := "#!/bin/sh\nprintf '%s\\n' \"$@\" >" + written + "\nexit 7\n"
	if err := os.WriteFile(filepath.Join(bin, "ssh"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	key, _, err := ssh.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	files := state.Home{Dir: home}.Lab("lab")
	if err := files.WriteFile("id_ed25519", key); err != nil {
		t.Fatal(err)
	}
	if err := files.Save(&state.State{
		Lab: "lab", Owner: "arn:aws:iam::123456789012:user/jane", FileName: "lab.hcl",
		Host:     []byte(`{"name": "bench", "region": "eu-central-1", "instance_id": "i-1", "address": "172.29.0.9", "host_key": "` + pinned + `"}`),
		Declared: []byte(`{"host": {"type": "ec2", "name": "bench", "region": "eu-central-1"}, "cluster": {"type": "kind", "name": "c"}}`),
	}); err != nil {
		t.Fatal(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, c := range []struct {
		command []string
		last    []string
	}{
		{nil, []string{"172.29.0.9"}},
		{[]string{"ls | wc -l"}, []string{"172.29.0.9", "ls | wc -l"}},
		{[]string{"echo", "a b", "$HOME"}, []string{"172.29.0.9", `echo 'a b' '$HOME'`}},
	} {
		args := append([]string{"ssh", "--"}, c.command...)
		a := newApp(Process{
			Args: append([]string{"labctl"}, args...), In: null, Out: null, Err: null,
			Environ: []string{"LABCTL_HOME=" + home, "PATH=" + bin + ":/bin:/usr/bin"},
		})
		if code := run(t.Context(), a, args); code != 7 {
			t.Errorf("%q: exit code %d; want ssh's own", c.command, code)
		}
		raw, err := os.ReadFile(written)
		if err != nil {
			t.Fatal(err)
		}
		got := string(raw)
		if !strings.HasSuffix(got, "\n"+strings.Join(c.last, "\n")+"\n") || !strings.Contains(got, "StrictHostKeyChecking=yes") {
			t.Errorf("%q is run with\n%s", c.command, got)
		}
	}
	known, err := os.ReadFile(files.Path("known_hosts"))
	if err != nil || !strings.Contains(string(known), pinned) {
		t.Errorf("known hosts %q, %v; want the pinned key", known, err)
	}
}
