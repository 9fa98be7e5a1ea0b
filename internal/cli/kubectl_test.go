package cli

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

func sessionWith(t *testing.T, e *imageEngine) *session {
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
	return &session{
		app: newApp(Process{}), lab: &labfile.Lab{Name: "a", Cluster: spec}, files: files, engine: engine,
		state:   &state.State{Lab: "a", Cluster: state.ClusterState{Kubernetes: "1.35.4", ImageID: nodeImage}},
		cluster: &kind.Cluster{Spec: spec, Ownership: provision.Ownership{Lab: "a", Owner: "o"}, Engine: engine},
	}
}

func (s *session) linked(t *testing.T) string {
	t.Helper()
	link := filepath.Join(t.TempDir(), "kubectl")
	if err := s.kubectl(t.Context(), link); err != nil {
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
	s := sessionWith(t, e)
	target := s.linked(t)
	if got, err := os.ReadFile(target); err != nil || string(got) != e.kubectl || filepath.Dir(target) != s.files.Dir() {
		t.Errorf("%s, %v: %d bytes", target, err, len(got))
	}
	i := slices.IndexFunc(e.ran, func(argv string) bool { return strings.HasPrefix(argv, "docker create") })
	if i < 0 || !strings.Contains(e.ran[i], "labctl.lab=a") || !strings.Contains(e.ran[i], nodeImage) {
		t.Errorf("it is not made with the lab's marks from the recorded image: %q", e.ran)
	}
	if last := e.ran[len(e.ran)-1]; last != "docker rm --force --volumes c0ffee" {
		t.Errorf("the last command is %q; the container is left", last)
	}
	journal, err := os.ReadFile(s.files.Path(state.JournalFile))
	if err != nil || !strings.Contains(string(journal), "docker create") || !strings.Contains(string(journal), "docker rm") {
		t.Errorf("%v, the journal has %s", err, journal)
	}
	before := len(e.ran)
	if again := s.linked(t); again != target || len(e.ran) != before {
		t.Errorf("the second time it is %s, with %q", again, e.ran[before:])
	}
}

// TestWhoseKubectlDoesNotRunHere: labctl itself takes kubectl's place then.
func TestWhoseKubectlDoesNotRunHere(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*session, *imageEngine){
		"an image of the lab file's":  func(s *session, _ *imageEngine) { s.lab.Cluster.Image = "evil/node" },
		"a host":                      func(s *session, _ *imageEngine) { s.remote = &remote{} },
		"an image that is not known":  func(s *session, _ *imageEngine) { s.state.Cluster.ImageID = "" },
		"an image that is a path":     func(s *session, _ *imageEngine) { s.state.Cluster.ImageID = "sha256:../../x" },
		"another version":             func(_ *session, e *imageEngine) { e.kubectl = kubectlSays("1.20.0") },
		"a version that says nothing": func(_ *session, e *imageEngine) { e.kubectl = "#!/bin/sh\n" },
		"a link":                      func(_ *session, e *imageEngine) { e.link = true },
	} {
		e := &imageEngine{kubectl: kubectlSays("1.35.4")}
		s := sessionWith(t, e)
		change(s, e)
		if got := s.linked(t); got != self {
			t.Errorf("%s: %s is run", name, got)
		}
		for _, argv := range e.ran {
			if strings.HasPrefix(argv, "docker exec") {
				t.Errorf("%s: %s", name, argv)
			}
		}
		if left, _ := filepath.Glob(s.files.Path("kubectl-*")); len(left) > 0 {
			t.Errorf("%s: %q is kept", name, left)
		}
	}
}

func TestWhatIsCarriedIntoTheNode(t *testing.T) {
	read := func(name string) ([]byte, error) {
		if name == "gone.yaml" || name == "folder" {
			return nil, os.ErrNotExist
		}
		return []byte("of " + name), nil
	}
	for line, want := range map[string]string{
		"get pods":                             "get pods",
		"apply -f a.yaml":                      "apply -f - < of a.yaml/---/",
		"-n dev apply --filename=a.yaml":       "-n dev apply -f - < of a.yaml/---/",
		"apply -fa.yaml -f=b.yaml --force":     "apply --force -f - < of a.yaml/---/of b.yaml/---/",
		"delete --filename a.yaml,b.yaml":      "delete -f - < of a.yaml/---/of b.yaml/---/",
		"apply -f -":                           "apply -f -",
		"apply -f https://x/y.yaml":            "apply -f https://x/y.yaml",
		"logs -f deploy/crashloop":             "logs -f deploy/crashloop",
		"-n cp get pods":                       "-n cp get pods",
		"exec p -- tail -f x":                  "exec p -- tail -f x",
		"apply -f a.yaml -- -f b":              "apply -f - -- -f b < of a.yaml/---/",
		"apply -f gone.yaml":                   "error gone",
		"apply -f - -f a.yaml":                 "error one after the other",
		"apply -k dir":                         "error -k",
		"apply -R -f folder":                   "error -R",
		"cp p:/x x":                            "error kubectl cp",
		"-n dev port-forward p 80":             "error port-forward",
		"config set-context x":                 "error kubectl config",
		"create configmap c --from-file=x":     "error --from-file",
		"--kubeconfig=/x get nodes":            "error --kubeconfig",
		"get nodes --kubeconfig /x":            "error --kubeconfig",
		"create secret tls s --cert=a --key b": "error --cert",
	} {
		args, files, err := carry(strings.Fields(line), read)
		got := strings.Join(args, " ")
		if files != nil {
			got += " < " + strings.ReplaceAll(string(files), "\n", "/")
		}
		if words, wrong := strings.CutPrefix(want, "error "); wrong {
			if err == nil || !strings.Contains(err.Error()+line, words) {
				t.Errorf("%s: %q, %v; want an error about %s", line, got, err, words)
			}
		} else if err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", line, got, err, want)
		}
	}
}

func TestWhoReadsTheInput(t *testing.T) {
	for line, want := range map[string]bool{
		"get pods": false, "apply -f -": true, "exec -it p -- sh": true, "exec -i p -- cat": true, "exec p -- cat -i": false, "edit pod p": true,
		"get pods -n dev": false, "run p --stdin --image x": true, "apply --filename=-": true, "logs -f p": false, "delete -i pod p": true,
	} {
		if got := readsInput(strings.Fields(line)); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}
