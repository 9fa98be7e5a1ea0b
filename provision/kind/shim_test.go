package kind

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/state"
)

func TestActsOfKindsCommands(t *testing.T) {
	for command, want := range map[string]string{
		"ps -a --filter label=x":                   "",
		"inspect --format {{.Name}} node":          "",
		"info --format {{json .}}":                 "",
		"logs -f node":                             "",
		"network ls --format {{.ID}}":              "",
		"network inspect kind":                     "",
		"exec --privileged node cat /kind/version": "",
		"exec --privileged node crictl ps":         "",
		"network create -d=bridge kind":            "docker network create|kind|",
		"network rm abc":                           "docker network rm|abc|",
		"run --name node --detach image":           "docker run|node|",
		"rm -f -v node":                            "docker rm|node|",
		"pull image":                               "docker pull|image|",
		"exec --privileged -i node cp /dev/stdin /kind/kubeadm.conf":   "docker exec|node|cp /dev/stdin",
		"exec --privileged -e A=b node kubeadm init --token=secret":    "docker exec|node|kubeadm init",
		"exec --privileged node kubeadm join --token secret":           "docker exec|node|kubeadm join",
		"exec --privileged node sh -c echo secret":                     "docker exec|node|sh",
		"exec --privileged node kubectl --kubeconfig=/x create -f -":   "docker exec|node|kubectl",
		"some-new-command that nobody knows is taken for a change now": "docker some-new-command|now|",
	} {
		act, changes := actOf(strings.Fields(command))
		got := ""
		if changes {
			got = act.Verb + "|" + act.Object + "|" + act.Detail
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", command, got, want)
		}
	}
}

func TestMarksGoOnContainersAndTheirVolumes(t *testing.T) {
	s := &DockerShim{Labels: []string{"labctl.lab=x", "labctl.owner=ann"}}
	got := strings.Join(s.mark(strings.Fields("run --name n --volume /var --volume /lib/modules:/lib/modules:ro image")), " ")
	want := "run --label labctl.lab=x --label labctl.owner=ann --name n" +
		" --mount type=volume,destination=/var,volume-label=labctl.lab=x,volume-label=labctl.owner=ann" +
		" --volume /lib/modules:/lib/modules:ro image"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := s.mark([]string{"ps", "--volume", "/var"}); !slices.Equal(got, []string{"ps", "--volume", "/var"}) {
		t.Errorf("a command that makes nothing was changed: %q", got)
	}
}

// shim is one whose docker is a script that counts its calls.
func shim(t *testing.T, script string) (s *DockerShim, calls func() int) {
	t.Helper()
	dir := t.TempDir()
	path, count := filepath.Join(dir, "docker"), filepath.Join(dir, "count")
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho x >>"+count+"\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	cache := filepath.Join(dir, "cache")
	if err := os.Mkdir(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	s = &DockerShim{Docker: path, Cache: cache, Home: filepath.Join(dir, "home"), Lab: "x", Addr: "cluster.kind.x"}
	return s, func() int {
		raw, _ := os.ReadFile(count)
		return strings.Count(string(raw), "x")
	}
}

// run lets the docker shim do a command and returns what it printed.
func run(t *testing.T, s *DockerShim, args ...string) (string, int, error) {
	t.Helper()
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	code, err := s.Run(args, os.Environ(), Streams{Out: out, Err: out})
	raw, rerr := os.ReadFile(out.Name())
	if rerr != nil {
		t.Fatal(rerr)
	}
	return string(raw), code, err
}

func TestAnswersThatCannotChangeAreAskedOnce(t *testing.T) {
	s, calls := shim(t, "echo worker")
	for range 3 {
		got, code, err := run(t, s, "inspect", "--format", `{{ index .Config.Labels "role"}}`, "node")
		if got != "worker\n" || code != 0 || err != nil {
			t.Fatalf("got %q, exit %d, %v", got, code, err)
		}
	}
	if calls() != 1 {
		t.Errorf("docker was asked %d times", calls())
	}
}

func TestAFailedAnswerIsNotKept(t *testing.T) {
	s, calls := shim(t, "exit 3")
	for range 2 {
		if _, code, err := run(t, s, "info"); code != 3 || err != nil {
			t.Errorf("exit %d, %v", code, err)
		}
	}
	if calls() != 2 {
		t.Errorf("docker was asked %d times", calls())
	}
}

func TestChangesAreJournalledWithTheirEnd(t *testing.T) {
	s, _ := shim(t, "exit 7")
	if _, code, err := run(t, s, "rm", "-f", "node"); code != 7 || err != nil {
		t.Fatalf("exit %d, %v", code, err)
	}
	j, err := state.Home{Dir: s.Home}.Lab("x").OpenJournal()
	if err != nil {
		t.Fatal(err)
	}
	records, err := j.Records()
	if err != nil || len(records) != 2 || records[0].Phase != state.Begin || records[1].Phase != state.Failed || records[1].Error != "exit status 7" {
		t.Errorf("got %+v, %v", records, err)
	}
}

// TestKindRemovesNoNetworkInUse: kind judges by running containers alone and would remove any but the first.
func TestKindRemovesNoNetworkInUse(t *testing.T) {
	s, _ := shim(t, `case "$1 $2" in "network ls") echo abc;; "network rm") exit 9;; esac`)
	if _, code, err := run(t, s, "network", "rm", "abc"); code != 0 || err != nil {
		t.Errorf("exit %d, %v", code, err)
	}
}

func TestStepNames(t *testing.T) {
	for in, want := range map[string]string{
		" Preparing nodes 📦 📦  ...":       "Preparing nodes",
		" Starting control-plane 🕹️":      "Starting control-plane",
		" Ensuring node image (a/b:v1) 🖼": "Ensuring node image (a/b:v1)",
	} {
		if got := stepName(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
