//go:build e2e

// Package life_test uses labctl as people do whose lab is on AWS: the built program puts labs on machines
// that really boot with its user-data (package hypervisor), reaches them over SSH, and makes clusters there.
// moto_server is the account, the fault proxy in front of it makes it behave as AWS does.
//
//	go test -tags e2e ./e2e/ec2/life      about six minutes
//
// labctl finds no Docker engine on this machine: a laptop needs none.
package life_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labctl/labctl/e2e/ec2/hypervisor"
	"github.com/labctl/labctl/e2e/ec2/moto"
	"github.com/labctl/labctl/images"
	"github.com/labctl/labctl/internal/command"
)

// What every test runs in.
var (
	server  *moto.Server
	machine command.Local // the engine that the machines run on
	program string        // labctl
)

// preloaded is what the machines' engines have from the start: nothing can be pulled here.
var preloaded = images.Names()

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.list").Value.String() != "" {
		os.Exit(m.Run()) // what would run can be said without an engine
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "labctl-life-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = prepare(ctx, dir)
	}
	if err != nil {
		// Never a skip: who asked for these tests is told that none of them ran.
		fmt.Fprintln(os.Stderr, "e2e/ec2/life: NOT RUN:", err)
		return 1
	}
	defer server.Stop()
	defer hypervisor.Sweep(ctx, machine)
	return m.Run()
}

func prepare(ctx context.Context, dir string) error {
	path, err := exec.LookPath("docker")
	if err != nil {
		return fmt.Errorf("no docker command: %w (make engine)", err)
	}
	machine = command.Local{Docker: path, Env: os.Environ()}
	if _, err := output("../host/build.sh"); err != nil {
		return err
	}
	node, err := output(path, "images", "--filter", "label=labctl.kubernetes", "--format", "{{.Repository}}:{{.Tag}}")
	if err != nil || node == "" {
		return fmt.Errorf("no node image is there: %w (make node-image)", err)
	}
	node, _, _ = strings.Cut(node, "\n")
	preloaded = append(preloaded, node)
	program = filepath.Join(dir, "labctl")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.version=e2e", "-o", program, "../../../cmd/labctl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building labctl: %w: %s", err, out)
	}
	server, err = moto.Start(ctx)
	return err
}

// output runs a command and returns what it printed, without the last line's end.
func output(argv ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(stdout.String()), nil
}
