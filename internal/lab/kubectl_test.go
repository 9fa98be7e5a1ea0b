package lab

import (
	"archive/tar"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/provision/kind"
)

// imageEngine is an engine that has a node image with this as its kubectl.
type imageEngine struct {
	kubectl string
	link    bool
	ran     []string
}

func (e *imageEngine) Run(_ context.Context, c command.Command) error {
	e.ran = append(e.ran, strings.Join(c.Argv, " "))
	switch c.Argv[1] {
	case "info":
		_, err := c.Stdout.Write([]byte(`{"ServerVersion":"20.10","Architecture":"` + runtime.GOARCH + `"}`))
		return err
	case "create":
		_, err := c.Stdout.Write([]byte("c0ffee\n"))
		return err
	case "cp":
		w := tar.NewWriter(c.Stdout)
		header := &tar.Header{Name: "kubectl", Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(e.kubectl))}
		if e.link {
			header = &tar.Header{Name: "kubectl", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}
		}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		if !e.link {
			if _, err := w.Write([]byte(e.kubectl)); err != nil {
				return err
			}
		}
		return w.Close()
	case "rm", "ps":
		return nil
	}
	return errors.New("not expected: " + strings.Join(c.Argv, " "))
}

const nodeImage = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func kubectlSays(version string) string {
	return "#!/bin/sh\n[ \"${0##*/}\" = kubectl ] && echo '{\"clientVersion\":{\"gitVersion\":\"v" + version + "\"}}'\n"
}

func labWith(t *testing.T, e *imageEngine) *Lab {
	t.Helper()
	files := state.Home{Dir: t.TempDir(), Now: time.Now}.Lab("a")
	if err := files.WriteFile(state.KubeconfigFile, nil); err != nil { // makes the lab's directory
		t.Fatal(err)
	}
	journal, err := files.OpenJournal()
	if err != nil {
		t.Fatal(err)
	}
	engine := &docker.Engine{Runner: e, Journal: journal}
	spec := &labfile.Cluster{Type: "kind", Name: "c"}
	return &Lab{
		m: &Machine{}, Declared: &labfile.Lab{Name: "a", Cluster: spec}, files: files, engine: engine,
		state:   &state.State{Lab: "a", Cluster: state.ClusterState{Kubernetes: "1.35.4", ImageID: nodeImage}},
		cluster: &kind.Cluster{Spec: spec, Ownership: provision.Ownership{Lab: "a", Owner: "o"}, Engine: engine},
	}
}

// linked is the kubectl that the lab's environment gets.
func linked(t *testing.T, l *Lab) string {
	t.Helper()
	link := filepath.Join(t.TempDir(), "kubectl")
	if err := l.linkKubectl(t.Context(), link); err != nil {
		t.Fatal(err)
	}
	target, err := os.Readlink(link)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// TestKubectlComesOutOfTheImage: never out of a container in which a learner has been.
func TestKubectlComesOutOfTheImage(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("a node image's kubectl runs on Linux alone")
		return
	}
	e := &imageEngine{kubectl: kubectlSays("1.35.4")}
	l := labWith(t, e)
	target := linked(t, l)
	if got, err := os.ReadFile(target); err != nil || string(got) != e.kubectl || filepath.Dir(target) != l.files.Dir() {
		t.Errorf("%s, %v: %d bytes", target, err, len(got))
	}
	i := slices.IndexFunc(e.ran, func(argv string) bool { return strings.HasPrefix(argv, "docker create") })
	if i < 0 || !strings.Contains(e.ran[i], "labctl.lab=a") || !strings.Contains(e.ran[i], nodeImage) {
		t.Errorf("it is not made with the lab's marks from the recorded image: %q", e.ran)
	}
	if last := e.ran[len(e.ran)-1]; last != "docker rm --force --volumes c0ffee" {
		t.Errorf("the last command is %q; the container is left", last)
	}
	journal, err := os.ReadFile(l.files.Path(state.JournalFile))
	if err != nil || !strings.Contains(string(journal), "docker create") || !strings.Contains(string(journal), "docker rm") {
		t.Errorf("%v, the journal has %s", err, journal)
	}
	before := len(e.ran)
	if again := linked(t, l); again != target || len(e.ran) != before {
		t.Errorf("the second time it is %s, with %q", again, e.ran[before:])
	}
}

// TestWhoseKubectlDoesNotRunHere: labctl itself takes kubectl's place then.
func TestWhoseKubectlDoesNotRunHere(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Lab, *imageEngine){
		"an image of the lab file's":  func(l *Lab, _ *imageEngine) { l.Declared.Cluster.Image = "evil/node" },
		"a host":                      func(l *Lab, _ *imageEngine) { l.remote = &remoteHost{} },
		"an image that is not known":  func(l *Lab, _ *imageEngine) { l.state.Cluster.ImageID = "" },
		"an image that is a path":     func(l *Lab, _ *imageEngine) { l.state.Cluster.ImageID = "sha256:../../x" },
		"another version":             func(_ *Lab, e *imageEngine) { e.kubectl = kubectlSays("1.20.0") },
		"a version that says nothing": func(_ *Lab, e *imageEngine) { e.kubectl = "#!/bin/sh\n" },
		"a link":                      func(_ *Lab, e *imageEngine) { e.link = true },
	} {
		e := &imageEngine{kubectl: kubectlSays("1.35.4")}
		l := labWith(t, e)
		change(l, e)
		if got := linked(t, l); got != self {
			t.Errorf("%s: %s is run", name, got)
		}
		for _, argv := range e.ran {
			if strings.HasPrefix(argv, "docker exec") {
				t.Errorf("%s: %s", name, argv)
			}
		}
		if left, _ := filepath.Glob(l.files.Path("kubectl-*")); len(left) > 0 {
			t.Errorf("%s: %q is kept", name, left)
		}
	}
}
