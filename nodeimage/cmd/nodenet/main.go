// Command nodenet runs on every node: as `nodenet network` it gives pods their network, as `nodenet storage` it makes
// their volumes. It stands in for kind's own network and storage images where no registry can be reached.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/labctl/labctl/nodeimage/internal/network"
	"github.com/labctl/labctl/nodeimage/internal/storage"
	"github.com/labctl/labctl/nodeimage/internal/xtables"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, slog.New(slog.NewTextHandler(os.Stderr, nil))); err != nil {
		fmt.Fprintln(os.Stderr, "nodenet:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, env func(string) string, log *slog.Logger) error {
	if len(args) != 1 {
		return fmt.Errorf("want one argument, network or storage")
	}
	node := env("NODE_NAME")
	if node == "" {
		return fmt.Errorf("NODE_NAME is not set")
	}
	client, err := connect(env)
	if err != nil {
		return err
	}
	switch args[0] {
	case "network":
		subnets, err := prefixes(env("POD_SUBNET"))
		if err != nil {
			return err
		}
		if err := xtables.Link(); err != nil {
			return err
		}
		return network.Agent{
			Client: client, Node: node, PodSubnets: subnets, ConfigDir: "/etc/cni/net.d", Log: log,
		}.Run(ctx)
	case "storage":
		return storage.Agent{Client: client, Node: node, Dir: "/var/local-path-provisioner", Log: log}.Run(ctx)
	}
	return fmt.Errorf("unknown argument %q: want network or storage", args[0])
}

// connect reaches the API server as a pod does. kind names the control plane to the network's pods, which must not
// depend on the Service address: kube-proxy may not have made it yet.
func connect(env func(string) string) (kubernetes.Interface, error) {
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, err
	}
	if endpoint := env("CONTROL_PLANE_ENDPOINT"); endpoint != "" {
		config.Host = "https://" + endpoint
	}
	config.UserAgent = "nodenet"
	return kubernetes.NewForConfig(config)
}

func prefixes(list string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for cidr := range strings.SplitSeq(list, ",") {
		subnet, err := netip.ParsePrefix(strings.TrimSpace(cidr))
		if err != nil {
			return nil, fmt.Errorf("POD_SUBNET: %w", err)
		}
		all = append(all, subnet.Masked())
	}
	return all, nil
}
