package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/scenarios"
)

const poll = 200 * time.Millisecond

// kindConfig is what a person writes by hand for the same cluster.
const kindConfig = `kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- role: control-plane
- role: worker
- role: worker
kubeadmConfigPatches:
- |
  kind: KubeletConfiguration
  apiVersion: kubelet.config.k8s.io/v1beta1
  failCgroupV1: false
`

// roundByHand does by hand what up does: mirror, cluster, wait, apply, poll until the three symptoms
// show. Then it measures kind delete.
func (b *bench) roundByHand(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	manifests, err := b.manifests()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := b.startMirror(ctx); err != nil {
		return err
	}
	if err := b.create(ctx); err != nil {
		return err
	}
	if err := b.tellNodes(ctx); err != nil {
		return err
	}
	if err := b.ready(ctx); err != nil {
		return err
	}
	if err := b.apply(ctx, manifests); err != nil {
		return err
	}
	if err := b.symptoms(ctx); err != nil {
		return err
	}
	b.note("by hand", time.Since(began).Seconds())
	took, err := b.timed(ctx, b.kind, "delete", "cluster", "--name", byHand, "--kubeconfig", b.kubeconfig())
	if err != nil {
		return err
	}
	b.note("kind delete", took.Seconds())
	return b.deleteByHand(ctx)
}

// roundCreateOnly is kind create and the wait for nodes and CoreDNS, without anything in it.
func (b *bench) roundCreateOnly(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	began := time.Now()
	if err := b.create(ctx); err != nil {
		return err
	}
	if err := b.ready(ctx); err != nil {
		return err
	}
	b.note("create and wait", time.Since(began).Seconds())
	return b.deleteByHand(ctx)
}

func (b *bench) kubeconfig() string { return filepath.Join(b.dir, "by-hand.kubeconfig") }

// startMirror serves the cache that labctl filled, under another name.
func (b *bench) startMirror(ctx context.Context) error {
	volume, err := b.output(ctx, "docker", "volume", "ls", "-q", "--filter", "label=labctl.cache=mirror", "--filter", "label=labctl.owner=bench")
	if err != nil {
		return err
	}
	if volume == "" {
		return fmt.Errorf("the mirror's cache is not filled: labctl's round has to come first")
	}
	_, err = b.output(ctx, "docker", "run", "--detach", "--name", mirror, "--network", "kind", "--volume", volume+":/var/lib/registry:ro",
		"--env", `REGISTRY_STORAGE_MAINTENANCE_READONLY={"enabled":true}`, "registry:2")
	return err
}

func (b *bench) create(ctx context.Context) error {
	config := filepath.Join(b.dir, "kind.yaml")
	if err := os.WriteFile(config, []byte(kindConfig), 0o600); err != nil {
		return err
	}
	image, err := b.output(ctx, "docker", "images", "--filter", "label="+nodeFrom, "--format", "{{.Repository}}:{{.Tag}}")
	if err != nil {
		return err
	}
	image, _, _ = strings.Cut(image, "\n")
	_, err = b.output(ctx, b.kind, "create", "cluster", "--name", byHand, "--config", config, "--image", image, "--kubeconfig", b.kubeconfig(), "--quiet")
	if err != nil {
		return err
	}
	return b.takeKubectl(ctx, byHand+"-control-plane")
}

// takeKubectl copies the node's kubectl once; it is done before the first measurement needs it.
func (b *bench) takeKubectl(ctx context.Context, node string) error {
	if _, err := os.Stat(b.kubectl); err == nil {
		return nil
	}
	_, err := b.output(ctx, "docker", "cp", "--follow-link", node+":/usr/bin/kubectl", b.kubectl)
	return err
}

func (b *bench) tellNodes(ctx context.Context) error {
	hosts := fmt.Sprintf("server = \"http://%s:5000\"\n\n[host.\"http://%s:5000\"]\n  capabilities = [\"pull\", \"resolve\"]\n", mirror, mirror)
	for _, node := range []string{"control-plane", "worker", "worker2"} {
		cmd := exec.CommandContext(ctx, "docker", "exec", "-i", byHand+"-"+node, "sh", "-c",
			"mkdir -p /etc/containerd/certs.d/docker.io && cat > /etc/containerd/certs.d/docker.io/hosts.toml")
		cmd.Stdin = strings.NewReader(hosts)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("writing hosts.toml: %w: %s", err, out)
		}
	}
	return nil
}

// ready polls until three nodes are Ready and CoreDNS is available.
func (b *bench) ready(ctx context.Context) error {
	const nodes = `{range .items[*]}{range .status.conditions[?(@.type=="Ready")]}{.status} {end}{end}`
	const dns = `{range .status.conditions[?(@.type=="Available")]}{.status}{end}`
	return until(ctx, func() bool {
		n, err := b.output(ctx, b.kubectl, "--kubeconfig", b.kubeconfig(), "get", "nodes", "-o", "jsonpath="+nodes)
		if err != nil || strings.Count(n, "True") != 3 {
			return false
		}
		d, err := b.output(ctx, b.kubectl, "--kubeconfig", b.kubeconfig(), "-n", "kube-system", "get", "deployment", "coredns", "-o", "jsonpath="+dns)
		return err == nil && d == "True"
	})
}

// manifests renders what labctl seeds for the three scenarios.
func (b *bench) manifests() (string, error) {
	var all strings.Builder
	for _, name := range []string{"imagepull", "crashloop", "multi-container"} {
		d, err := scenarios.Lookup(name)
		if err != nil {
			return "", err
		}
		rendered, diags := labfile.Render(d, nil)
		if diags.HasErrors() {
			return "", diags
		}
		for _, m := range rendered {
			all.WriteString("---\n")
			all.Write(m.Bytes)
			all.WriteString("\n")
		}
	}
	return all.String(), nil
}

func (b *bench) apply(ctx context.Context, manifests string) error {
	cmd := exec.CommandContext(ctx, b.kubectl, "--kubeconfig", b.kubeconfig(), "apply", "-f", "-")
	cmd.Stdin = strings.NewReader(manifests)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl apply: %w: %s", err, out)
	}
	return nil
}

// symptoms polls until every scenario has a pod that shows it.
func (b *bench) symptoms(ctx context.Context) error {
	return until(ctx, func() bool {
		pods, err := b.pods(ctx, b.kubeconfig())
		if err != nil {
			return false
		}
		shown := map[string]bool{}
		for _, p := range pods {
			if p.shows() {
				shown[p.scenario()] = true
			}
		}
		return len(shown) == 3
	})
}

func (b *bench) deleteByHand(ctx context.Context) error {
	_, err := b.output(ctx, b.kind, "delete", "cluster", "--name", byHand, "--kubeconfig", b.kubeconfig())
	if have, _ := b.output(ctx, "docker", "ps", "-aq", "--filter", "name=^/"+mirror+"$"); have != "" {
		if _, rerr := b.output(ctx, "docker", "rm", "-f", mirror); err == nil {
			err = rerr
		}
	}
	return err
}

func until(ctx context.Context, done func() bool) error {
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(poll):
		}
	}
	return nil
}

func (b *bench) output(ctx context.Context, argv ...string) (string, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(argv[:min(3, len(argv))], " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}
