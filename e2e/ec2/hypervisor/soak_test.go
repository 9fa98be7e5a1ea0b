//go:build e2e && soak

package hypervisor_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/labctl/labctl/e2e/ec2/hypervisor"
	"github.com/labctl/labctl/internal/command"
)

// TestBare: a machine without Docker gets Debian's by apt, as labctl's user-data does it.
func TestBare(t *testing.T) {
	s := open(t, hypervisor.Config{Image: hypervisor.BareImage})
	began := time.Now()
	id := s.launch(types.ShutdownBehaviorTerminate, s.userData(`  - [sh, -c, 'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends docker.io iptables >/dev/null']
`))
	conn := s.login(id, "debian", s.hostKey(id))
	if out := output(t, conn, "cloud-init", "status", "--wait"); !strings.Contains(out, "status: done") {
		t.Fatalf("cloud-init: %s\n%s", out, s.Console(id))
	}
	output(t, conn, "sudo", "docker", "version")
	t.Logf("from RunInstances to a Docker that was installed: %s", since(began))
}

// TestCluster: a kind cluster of three nodes comes up on a machine.
func TestCluster(t *testing.T) {
	node := strings.TrimSpace(output(t, local, "sh", "-c", "docker images --filter label=labctl.kubernetes --format '{{.Repository}}:{{.Tag}}' | grep -v none | sort -V | tail -n 1"))
	if node == "" {
		t.Fatal("no node image is here: make node-image")
	}
	kind := filepath.Join(t.TempDir(), "kind")
	build := exec.Command("go", "build", "-o", kind, "sigs.k8s.io/kind")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s := open(t, hypervisor.Config{Preload: []string{node}})
	began := time.Now()
	id := s.launch(types.ShutdownBehaviorTerminate, s.userData(""))
	conn := s.login(id, "debian", s.hostKey(id))
	t.Logf("from RunInstances to a login: %s", since(began))
	program, err := os.Open(kind)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	if err := conn.Run(t.Context(), command.Command{Argv: []string{"sudo", "sh", "-c", "cat >/usr/local/bin/kind && chmod 755 /usr/local/bin/kind"}, Stdin: program}); err != nil {
		t.Fatal(err)
	}
	config := `kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes: [{role: control-plane}, {role: worker}, {role: worker}]
kubeadmConfigPatches: ["{kind: KubeletConfiguration, apiVersion: kubelet.config.k8s.io/v1beta1, failCgroupV1: false}"]
`
	began = time.Now()
	var out strings.Builder
	create := command.Command{Argv: []string{"sudo", "kind", "create", "cluster", "--name", "inside", "--image", node, "--config", "-"}, Stdin: strings.NewReader(config), Stdout: &out, Stderr: &out}
	if err := conn.Run(t.Context(), create); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	t.Logf("kind create on the machine: %s", since(began))
	began = time.Now()
	output(t, conn, "sudo", "docker", "exec", "inside-control-plane", "kubectl", "wait", "--for=condition=Ready", "node", "--all", "--timeout=90s")
	output(t, conn, "sudo", "docker", "exec", "inside-control-plane", "kubectl", "-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=90s")
	t.Logf("and until its nodes and CoreDNS are ready: %s", since(began))
	if out := output(t, conn, "sudo", "docker", "ps", "-q"); len(strings.Fields(out)) != 3 {
		t.Errorf("nodes: %q", out)
	}
}
