package hypervisor

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/labctl/labctl/internal/command"
)

// engine is the engine that the machines run on.
type engine struct{ runner command.Runner }

// run runs a docker command and returns what it printed.
func (e engine) run(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	var out bytes.Buffer
	err := e.runner.Run(ctx, command.Command{Argv: append([]string{"docker"}, args...), Stdin: stdin, Stdout: &out})
	return out.String(), err
}

// The network of all machines. Its addresses are those that moto gives out as public ones
// (random_public_ip in its source), so that an instance answers where the API says that it does. The
// gateway, which is this machine, has one that moto does not give out.
const (
	network        = "labctl-ec2"
	networkSubnet  = "172.29.0.0/16"
	networkGateway = "172.29.255.254"
)

// ensureNetwork makes the network where it is missing. Hypervisors that run at the same time share it.
func (e engine) ensureNetwork(ctx context.Context) error {
	_, err := e.run(ctx, nil, "network", "create", "--label", labelKind+"=network", "--subnet", networkSubnet, "--gateway", networkGateway, network)
	if err != nil && !strings.Contains(err.Error(), "already exists") {
		return fmt.Errorf("making the machines' network: %w", err)
	}
	return nil
}

// removeNetwork removes the network when no machine is on it, not even one that is switched off.
func (e engine) removeNetwork(ctx context.Context) error {
	left, err := e.run(ctx, nil, "ps", "--all", "--quiet", "--filter", "label="+labelKind+"=machine")
	if err != nil || strings.TrimSpace(left) != "" {
		return err
	}
	_, err = e.run(ctx, nil, "network", "rm", network)
	if err != nil && (missing(err) || strings.Contains(err.Error(), "has active endpoints")) {
		return nil
	}
	return err
}

func containerName(id string) string { return "labctl-ec2-" + id }

// create makes the container of a machine, with the instance's metadata in it, and does not start it.
func (h *Hypervisor) create(ctx context.Context, region string, i instance, userData []byte) error {
	if err := h.engine.ensureNetwork(ctx); err != nil { // another hypervisor may have removed it meanwhile
		return err
	}
	args := []string{"create", "--name", containerName(i.ID), "--hostname", hostname(i), "--network", network}
	if i.Public.IsValid() {
		args = append(args, "--ip", i.Public.String())
	}
	args = append(args, h.labels("machine")...)
	args = append(args, "--label", labelInstance+"="+i.ID,
		// systemd needs the cgroups of its own and /run in memory; what it writes to the console, a terminal,
		// is the container's log; this signal switches it off.
		"--privileged", "--cgroupns=private", "--tmpfs", "/run", "--tmpfs", "/run/lock", "--tty", "--stop-signal", "SIGRTMIN+3",
		"--log-opt", "max-size=1m", "--volume", diskName(i.ID)+":/var/lib/docker:nocopy", h.config.Image)
	if _, err := h.engine.run(ctx, nil, args...); err != nil {
		return err
	}
	seed, err := seed(region, i, userData)
	if err != nil {
		return err
	}
	_, err = h.engine.run(ctx, seed, "cp", "-", containerName(i.ID)+":/var/lib/cloud/seed/nocloud")
	return err
}

// hostname is the one that EC2 gives.
func hostname(i instance) string {
	if !i.Private.IsValid() {
		return i.ID
	}
	return "ip-" + strings.ReplaceAll(i.Private.String(), ".", "-")
}

// seed is an archive of what cloud-init's data source NoCloud reads.
func seed(region string, i instance, userData []byte) (io.Reader, error) {
	meta, err := json.Marshal(map[string]string{"instance-id": i.ID, "local-hostname": hostname(i), "region": region, "cloud-name": "aws"})
	if err != nil {
		return nil, err
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for name, data := range map[string][]byte{"meta-data": meta, "user-data": userData} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(data))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(data); err != nil {
			return nil, err
		}
	}
	return &archive, w.Close()
}

// move gives a container that does not run another address.
func (e engine) move(ctx context.Context, name string, to netip.Addr) error {
	if _, err := e.run(ctx, nil, "network", "disconnect", network, name); err != nil {
		return err
	}
	args := []string{"network", "connect"}
	if to.IsValid() {
		args = append(args, "--ip", to.String())
	}
	_, err := e.run(ctx, nil, append(args, network, name)...)
	return err
}

// remove removes an instance's container and disk. One that is gone already is no error.
func (e engine) remove(ctx context.Context, id string) error {
	if _, err := e.run(ctx, nil, "rm", "--force", "--volumes", containerName(id)); err != nil && !missing(err) {
		return err
	}
	if _, err := e.run(ctx, nil, "volume", "rm", "--force", diskName(id)); err != nil && !missing(err) {
		return err
	}
	return nil
}

// missing recognises the engine's words for something that is not there.
func missing(err error) bool {
	return strings.Contains(strings.ToLower(err.Error()), "no such ") || strings.Contains(err.Error(), "not found")
}
