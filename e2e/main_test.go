//go:build e2e

// Package e2e uses labctl as people do: the built program, a real Docker engine, real clusters. The
// scripts in testdata/script say what is to be seen; each is a document of one behaviour.
//
//	go test -tags e2e ./e2e                          everything, about eight minutes
//	go test -tags e2e -run TestScriptsAlone ./e2e           what needs no cluster, seconds
//	LABCTL_E2E_STATE=/tmp/x go test …                keep the labs (and use them again) between runs
//
// Everything that a run makes belongs to owners of its own, whose leftovers the next run removes first.
package e2e

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/images"
)

// owners are whose the labs of these tests are, by the folder of their scripts: a folder's tests see no
// lab of another's. Whatever else is on the engine is never touched.
var owners = map[string]string{"lab": "labctl-e2e", "alone": "labctl-e2e-alone", "small": "labctl-e2e-small", "own": "labctl-e2e-own"}

// surroundings is what every test runs in.
type surroundings struct {
	bin       string // the directory that holds labctl, and nothing else
	docker    string // the docker command
	host      string // the engine as DOCKER_HOST names it
	state     string // LABCTL_E2E_STATE, or ""
	own       string // the folder of a lab with scenarios of its own
	docs      string // docs/labfile.md
	scenarios string // those of the engine's tests
	proxy     string // the program that is a proxy
}

var around surroundings

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.list").Value.String() != "" {
		os.Exit(m.Run()) // what would run can be said without an engine
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	tmp, err := os.MkdirTemp("", "labctl-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer os.RemoveAll(tmp)
	around, err = prepare(tmp)
	if err != nil {
		// Never a skip: who asked for these tests is told that none of them ran.
		fmt.Fprintln(os.Stderr, "e2e: NOT RUN:", err)
		return 1
	}
	for folder, owner := range owners {
		if folder == "lab" && around.state != "" {
			continue
		}
		defer around.sweep(owner)
		if err := around.sweep(owner); err != nil {
			fmt.Fprintln(os.Stderr, "e2e: removing what an earlier run left:", err)
			return 1
		}
	}
	return m.Run()
}

// prepare builds labctl and looks whether the engine and the images are there.
func prepare(tmp string) (s surroundings, err error) {
	s.state = os.Getenv("LABCTL_E2E_STATE")
	if s.scenarios, err = filepath.Abs(filepath.Join("..", "scenarios", "testdata")); err != nil {
		return s, err
	}
	if s.own, err = filepath.Abs(filepath.Join("testdata", "own")); err != nil {
		return s, err
	}
	if s.docs, err = filepath.Abs(filepath.Join("..", "docs", "labfile.md")); err != nil {
		return s, err
	}
	if s.docker, err = exec.LookPath("docker"); err != nil {
		return s, fmt.Errorf("no docker command: %w (make engine)", err)
	}
	if s.host = os.Getenv("DOCKER_HOST"); s.host == "" {
		if s.host, err = output(exec.Command(s.docker, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}")); err != nil {
			return s, err
		}
	}
	if _, err := output(exec.Command(s.docker, "version", "--format", "{{.Server.Version}}")); err != nil {
		return s, fmt.Errorf("no Docker engine answers: %w (make engine)", err)
	}
	for _, image := range images.Names() {
		if _, err := output(exec.Command(s.docker, "image", "inspect", "--format", "{{.Id}}", image)); err != nil {
			return s, fmt.Errorf("image %s is missing: %w (make mirror-images)", image, err)
		}
	}
	s.bin, s.proxy = filepath.Join(tmp, "bin"), filepath.Join(tmp, "forwardproxy")
	proxy := exec.Command("go", "build", "-o", s.proxy, "./forwardproxy")
	proxy.Env = append(os.Environ(), "CGO_ENABLED=0")
	if _, err := output(proxy); err != nil {
		return s, err
	}
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.version=e2e", "-o", filepath.Join(s.bin, "labctl"), "./cmd/labctl")
	build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	_, err = output(build)
	return s, err
}

// output runs a command and returns what it printed, without the last line's end.
func output(cmd *exec.Cmd) (string, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), err
}

// sweep removes all labs and volumes of an owner, with labctl.
func (s surroundings) sweep(owner string) error {
	lines, err := output(s.command("ps", "-a", "--filter", "label=labctl.owner="+owner, "--format", `{{.Label "labctl.lab"}}`))
	if err != nil {
		return err
	}
	labs := strings.Fields(lines)
	slices.Sort(labs)
	var errs []error
	for _, lab := range slices.Compact(labs) {
		fmt.Fprintln(os.Stderr, "e2e: removing lab", lab)
		home, err := os.MkdirTemp("", "labctl-e2e-sweep-")
		if err != nil {
			return err
		}
		down := exec.Command(filepath.Join(s.bin, "labctl"), "down", lab)
		down.Env = append(os.Environ(), "LABCTL_HOME="+home, "LABCTL_OWNER="+owner, "DOCKER_HOST="+s.host)
		_, err = output(down)
		errs = append(errs, err, os.RemoveAll(home))
	}
	volumes, err := output(s.command("volume", "ls", "-q", "--filter", "label=labctl.owner="+owner))
	errs = append(errs, err)
	for _, volume := range strings.Fields(volumes) {
		_, err := output(s.command("volume", "rm", volume))
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// command is a docker command on the engine under test.
func (s surroundings) command(args ...string) *exec.Cmd {
	cmd := exec.Command(s.docker, args...)
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+s.host)
	return cmd
}
