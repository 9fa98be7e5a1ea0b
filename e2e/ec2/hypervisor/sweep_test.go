//go:build e2e

package hypervisor_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/labctl/labctl/e2e/ec2/hypervisor"
)

// beVictim runs a hypervisor until it is killed, and says when its machine runs.
func beVictim(endpoint string) int {
	ctx := context.Background()
	local, err := engine()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	h, err := hypervisor.Start(ctx, hypervisor.Config{Endpoint: endpoint, Regions: []string{region}, Engine: local})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	out, err := api(endpoint).RunInstances(ctx, &sdk.RunInstancesInput{
		ImageId: aws.String(ami), InstanceType: types.InstanceTypeT3Large, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
	})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if m, err := h.Machine(aws.ToString(out.Instances[0].InstanceId)); err == nil && m.State == "running" {
			fmt.Println("running")
			time.Sleep(time.Minute)
		}
	}
	return 1
}

// TestSweep: what a killed hypervisor left is removed, and what a living one has is not.
func TestSweep(t *testing.T) {
	if err := server.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), victim+"="+server.URL)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { child.Process.Kill(); child.Wait() })
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "running\n" {
		t.Fatalf("the other hypervisor says %q", line)
	}
	if err := hypervisor.Sweep(t.Context(), local); err != nil {
		t.Fatal(err)
	}
	if left := remains(t, child.Process.Pid); !strings.Contains(left, "container") || !strings.Contains(left, "volume") {
		t.Fatalf("what a living hypervisor has was removed; there is:\n%s", left)
	}
	child.Process.Kill()
	child.Wait()
	if err := hypervisor.Sweep(t.Context(), local); err != nil {
		t.Fatal(err)
	}
	if left := remains(t, child.Process.Pid); left != "" {
		t.Errorf("left:\n%s", left)
	}
}
