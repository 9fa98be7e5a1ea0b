//go:build e2e

// Tests of the hypervisor: real machines boot, and what runs in them is used over SSH.
//
//	go test -tags e2e ./e2e/ec2/hypervisor          about two minutes
//	go test -tags e2e,soak ./e2e/ec2/hypervisor     and a machine without Docker, and a cluster in another
package hypervisor_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/labctl/labctl/e2e/ec2/hypervisor"
	"github.com/labctl/labctl/e2e/ec2/moto"
	"github.com/labctl/labctl/internal/command"
)

// region is where the tests' instances are.
const region = "eu-central-1"

var (
	server *moto.Server
	local  command.Local
)

// victim, set in the environment, makes this program a hypervisor that is to be killed.
const victim = "LABCTL_EC2_VICTIM"

func TestMain(m *testing.M) {
	if endpoint := os.Getenv(victim); endpoint != "" {
		os.Exit(beVictim(endpoint))
	}
	flag.Parse()
	if flag.Lookup("test.list").Value.String() != "" {
		os.Exit(m.Run()) // what would run can be said without an engine
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	ctx := context.Background()
	build := exec.Command("../host/build.sh")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	err := build.Run()
	if err == nil {
		local, err = engine()
	}
	if err == nil {
		server, err = moto.Start(ctx)
	}
	if err != nil {
		// Never a skip: who asked for these tests is told that none of them ran.
		fmt.Fprintln(os.Stderr, "e2e/ec2/hypervisor: NOT RUN:", err)
		return 1
	}
	defer server.Stop()
	defer hypervisor.Sweep(ctx, local)
	return m.Run()
}

func engine() (command.Local, error) {
	path, err := exec.LookPath("docker")
	return command.Local{Docker: path, Env: os.Environ()}, err
}
