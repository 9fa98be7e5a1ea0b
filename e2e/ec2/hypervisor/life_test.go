//go:build e2e

package hypervisor_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/labctl/labctl/e2e/ec2/hypervisor"
)

const substituteImage = "busybox:1.36"

// TestLife takes one machine through everything that can happen to an instance.
func TestLife(t *testing.T) {
	s := open(t, hypervisor.Config{Preload: []string{substituteImage}})
	began := time.Now()
	id := s.launch(types.ShutdownBehaviorStop, s.userData(""))
	key := s.hostKey(id)
	conn := s.login(id, "debian", key)
	t.Logf("from RunInstances to a login: %s", since(began))

	if who := output(t, conn, "sh", "-c", "id -un; hostname; sudo id -un"); who != "debian\n"+hostnameOf(s, id)+"\nroot\n" {
		t.Errorf("logged in as %q", who)
	}
	if out, err := try(t.Context(), s.login(id, "root", key), "id", "-u"); err == nil || strings.TrimSpace(out) == "0" {
		t.Errorf("root may log in: %q, %v", out, err)
	}
	if out := output(t, conn, "cloud-init", "status", "--wait"); !strings.Contains(out, "status: done") {
		t.Errorf("cloud-init: %s", out)
	}
	if out := output(t, conn, "systemctl", "--failed", "--no-legend", "--plain"); out != "" {
		t.Errorf("failed units:\n%s", out)
	}
	began = time.Now()
	if out := output(t, conn, "sudo", "docker", "run", "--rm", substituteImage, "echo", "from inside"); out != "from inside\n" {
		t.Errorf("a container says %q", out)
	}
	t.Logf("docker run inside: %s", since(began))
	output(t, conn, "sudo", "sh", "-c", "docker volume create kept && sync")

	began = time.Now()
	_, _ = try(t.Context(), conn, "sudo", "systemctl", "reboot")
	s.until(id, "booted again", func(m hypervisor.Machine) bool { return m.Boots == 2 && m.State == "running" })
	checkBooted(s, id, key, 2)
	t.Logf("from `systemctl reboot` to a login: %s", since(began))
	if state := s.instance(id).State.Name; state != types.InstanceStateNameRunning {
		t.Errorf("after a reboot it is %s", state)
	}

	before := hypervisor.Address(aws.ToString(s.instance(id).PublicIpAddress))
	began = time.Now()
	if _, err := s.ec2.StopInstances(t.Context(), &sdk.StopInstancesInput{InstanceIds: []string{id}}); err != nil {
		t.Fatal(err)
	}
	s.untilState(id, "stopped")
	t.Logf("stop: %s", since(began))
	silent(t, before)
	s.start(id)
	checkBooted(s, id, key, 3)
	if after := hypervisor.Address(aws.ToString(s.instance(id).PublicIpAddress)); after == before {
		t.Errorf("the address stayed %s", after)
	}

	// Switched off from inside, it is stopped, as it was launched to be.
	_, _ = try(t.Context(), s.login(id, "debian", key), "sudo", "poweroff")
	s.untilState(id, "stopped")
	s.untilAPI(id, types.InstanceStateNameStopped)
	s.start(id)
	checkBooted(s, id, key, 4)

	if err := s.Reboot(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	checkBooted(s, id, key, 5)

	began = time.Now()
	if _, err := s.ec2.TerminateInstances(t.Context(), &sdk.TerminateInstancesInput{InstanceIds: []string{id}}); err != nil {
		t.Fatal(err)
	}
	s.untilState(id, "absent")
	t.Logf("terminate: %s", since(began))
	if out := remains(t, os.Getpid()); strings.Contains(out, id) {
		t.Errorf("left of it:\n%s", out)
	}
	if !strings.Contains(s.Console(id), "HOSTKEY "+key) {
		t.Errorf("the console is lost with the machine")
	}
}

// checkBooted logs in after a boot and looks whether it is the same machine as before.
func checkBooted(s *site, id, key string, boots int) {
	s.Helper()
	conn := s.login(id, "debian", key)
	output(s.T, conn, "cloud-init", "status", "--wait")
	counted := output(s.T, conn, "sh", "-c", "wc -l </etc/boots; wc -l </etc/launches; sudo docker volume ls -q | grep -v '^labctl-image-'")
	if got := strings.Fields(counted); len(got) != 3 || got[0] != strconv.Itoa(boots) || got[1] != "1" || got[2] != "kept" {
		s.Errorf("boots, launches, volumes: %q; want %d, 1, kept", got, boots)
	}
}

func hostnameOf(s *site, id string) string {
	return "ip-" + strings.ReplaceAll(aws.ToString(s.instance(id).PrivateIpAddress), ".", "-")
}

func (s *site) start(id string) {
	s.Helper()
	began := time.Now()
	if _, err := s.ec2.StartInstances(s.Context(), &sdk.StartInstancesInput{InstanceIds: []string{id}}); err != nil {
		s.Fatal(err)
	}
	s.untilState(id, "running")
	s.Logf("start: %s", since(began))
}

// untilAPI waits for a state that the API shows.
func (s *site) untilAPI(id string, state types.InstanceStateName) {
	s.Helper()
	s.until(id, "shown as "+string(state), func(hypervisor.Machine) bool { return s.instance(id).State.Name == state })
}

// TestTimer: a machine that a timer of its user-data switches off is terminated, and leaves nothing but its
// console. Another one, terminated while it boots, is gone as well.
func TestTimer(t *testing.T) {
	s := open(t, hypervisor.Config{})
	began := time.Now()
	early := s.launch(types.ShutdownBehaviorTerminate, s.userData(""))
	s.until(early, "known", func(hypervisor.Machine) bool { return true })
	if _, err := s.ec2.TerminateInstances(t.Context(), &sdk.TerminateInstancesInput{InstanceIds: []string{early}}); err != nil {
		t.Fatal(err)
	}
	id := s.launch(types.ShutdownBehaviorTerminate, s.userData("  - [systemd-run, --on-active=2, --timer-property=AccuracySec=1s, systemctl, poweroff]\n"))
	s.hostKey(id)
	s.untilAPI(id, types.InstanceStateNameTerminated)
	s.untilState(id, "absent")
	t.Logf("from RunInstances to terminated by its own timer: %s", since(began))
	s.untilState(early, "absent")
	if left := remains(t, os.Getpid()); strings.Contains(left, "i-") {
		t.Errorf("left:\n%s", left)
	}
	if !strings.Contains(s.Console(id), "HOSTKEY") {
		t.Error("the console is lost with the machine")
	}
}

// TestCrash: a machine whose power is cut ends as AWS ends it.
func TestCrash(t *testing.T) {
	s := open(t, hypervisor.Config{})
	id := s.launch(types.ShutdownBehaviorTerminate, "")
	s.untilState(id, "running")
	if err := s.Crash(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	s.untilAPI(id, types.InstanceStateNameTerminated)
	s.untilState(id, "absent")
}
