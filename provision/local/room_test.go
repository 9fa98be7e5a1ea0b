package local

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

// host answers commands from a table; a command that is not in it fails.
type host map[string]string

func (h host) Run(_ context.Context, c command.Command) error {
	answer, ok := h[strings.Join(c.Argv, " ")]
	if !ok {
		return errors.New("no such command")
	}
	_, err := io.WriteString(c.Stdout, answer)
	return err
}

func engine(h host, nodes int) *Engine {
	return &Engine{Docker: &docker.Engine{Runner: h}, Nodes: nodes}
}

const info = `{"Name":"here","ServerVersion":"27.0.1","DockerRootDir":"/data"}`

func room(freeKiB, instances, watches string) host {
	return host{
		"docker info --format {{json .}}":             info,
		"df -Pk /data":                                "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 99999999 1 " + freeKiB + " 1% /data\n",
		"cat /proc/sys/fs/inotify/max_user_instances": instances + "\n",
		"cat /proc/sys/fs/inotify/max_user_watches":   watches + "\n",
	}
}

func TestRoomIsMeasuredWhereTheEngineIs(t *testing.T) {
	far := room("8000000", "512", "524288") // of this machine, which does not count
	far["uname -n"] = "laptop\n"
	in := func(argv string) string {
		name, args, _ := strings.Cut(argv, " ")
		return "docker run --rm --network none --label labctl.lab=x --label labctl.owner=ann --entrypoint " + name + " sha256:node " + args
	}
	far[in("df -Pk /")] = "Filesystem 1024-blocks Used Available Capacity Mounted on\noverlay 9 1 1000 1% /\n"
	far[in("cat /proc/sys/fs/inotify/max_user_instances")] = "512\n"
	far[in("cat /proc/sys/fs/inotify/max_user_watches")] = "524288\n"
	journal, err := state.Home{Dir: t.TempDir()}.Lab("x").OpenJournal()
	if err != nil {
		t.Fatal(err)
	}
	e := engine(far, 1)
	e.Docker.Journal, e.Ownership = journal, provision.Ownership{Lab: "x", Owner: "ann"}
	if err := e.CheckRoom(t.Context(), "sha256:node"); clierr.ClassOf(err) != clierr.Refused || !strings.Contains(err.Error(), "the engine's disk has 0.0 GiB free") {
		t.Errorf("got %v", err)
	}
	if err := e.CheckRoom(t.Context(), ""); err != nil {
		t.Errorf("before the image is there: %v", err)
	}
}

func TestRoomThatSuffices(t *testing.T) {
	if err := engine(room("8000000", "512", "524288"), 3).CheckRoom(t.Context(), ""); err != nil {
		t.Error(err)
	}
}

func TestAllThatLacksIsToldWithItsCure(t *testing.T) {
	err := engine(room("1000", "10", "100"), 3).CheckRoom(t.Context(), "")
	if clierr.ClassOf(err) != clierr.Refused {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"/data has 0.0 GiB free", "fs.inotify.max_user_instances is 10", "fs.inotify.max_user_watches is 100"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
	if next := clierr.NextOf(engine(room("8000000", "10", "524288"), 3).CheckRoom(t.Context(), "")); !strings.Contains(next, "sysctl fs.inotify.max_user_instances=512") {
		t.Errorf("the cure is %q", next)
	}
}

func TestRoomIsForTheDeclaredNodes(t *testing.T) {
	small := room("2500000", "512", "524288") // 2.4 GiB
	if err := engine(small, 1).CheckRoom(t.Context(), ""); err != nil {
		t.Errorf("one node: %v", err)
	}
	if err := engine(small, 3).CheckRoom(t.Context(), ""); clierr.ClassOf(err) != clierr.Refused {
		t.Errorf("three nodes: %v", err)
	}
}

func TestVersions(t *testing.T) {
	for version, ok := range map[string]bool{"20.10.24+dfsg1": true, "28.2.2": true, "19.03.15": false, "20.9.0": false, "dev": true} {
		if err := checkVersion(version); (err == nil) != ok {
			t.Errorf("%s: %v", version, err)
		}
	}
}

func TestNoEngineIsRefusedWithTheCure(t *testing.T) {
	e := &Engine{Docker: &docker.Engine{Runner: command.Local{Docker: "/does/not/exist"}}}
	_, err := e.Observe(t.Context())
	if clierr.ClassOf(err) != clierr.Refused || clierr.NextOf(err) == "" {
		t.Errorf("got %v, next %q", err, clierr.NextOf(err))
	}
}

func FuzzParseDF(f *testing.F) {
	f.Add("Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 9 1 8 1% /\n")
	f.Fuzz(func(t *testing.T, out string) {
		if _, err := parseDF(out); err == nil && !strings.Contains(out, "\n") {
			t.Error("one line is no answer of df")
		}
	})
}
