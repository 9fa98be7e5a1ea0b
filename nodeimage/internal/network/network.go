// Package network gives the pods of a node their network, the plainest one that Kubernetes allows: a veth pair and a host
// route per pod (the ptp plugin), and on every node one route per other node. There is no bridge, no tunnel and no
// address translation between pods, so a node's route table can be read as a map of the cluster.
//
// It does not enforce NetworkPolicy.
package network

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// resync bounds how long a route or rule that something else removed stays missing.
const resync = time.Minute

// Agent keeps one node's network as the node objects say.
type Agent struct {
	Client     kubernetes.Interface
	Node       string         // the node it runs on
	PodSubnets []netip.Prefix // of the whole cluster
	ConfigDir  string         // where the container runtime looks for its network configuration
	Log        *slog.Logger
}

// Run follows the node objects until the context ends. Every change of any of them leads to one pass over all: what is
// there is compared with what should be, so it does not matter which events were seen.
func (a Agent) Run(ctx context.Context) error {
	factory := informers.NewSharedInformerFactory(a.Client, resync)
	nodes := factory.Core().V1().Nodes()
	changed := make(chan struct{}, 1)
	notify := func() {
		select {
		case changed <- struct{}{}:
		default: // a pass is due already, and will see this change too
		}
	}
	_, err := nodes.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { notify() },
		UpdateFunc: func(any, any) { notify() },
		DeleteFunc: func(any) { notify() },
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	if !cache.WaitForCacheSync(ctx.Done(), nodes.Informer().HasSynced) {
		return ctx.Err()
	}
	var retry <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-retry:
		}
		retry = nil
		all, err := nodes.Lister().List(labels.Everything())
		if err == nil {
			err = a.reconcile(all)
		}
		if err != nil {
			a.Log.Error("reconciling the network", "error", err)
			retry = time.After(time.Second)
		}
	}
}

// reconcile makes routes and the masquerade rule first: the configuration file comes last, because the moment it is
// there the kubelet calls the node ready and pods arrive.
func (a Agent) reconcile(nodes []*corev1.Node) error {
	var own *corev1.Node
	wanted := map[netip.Prefix]netip.Addr{}
	for _, node := range nodes {
		if node.Name == a.Node {
			own = node
			continue
		}
		for _, subnet := range podSubnets(node) {
			if via, ok := internalIP(node, subnet.Addr().Is4()); ok {
				wanted[subnet] = via
			}
		}
	}
	if own == nil {
		return fmt.Errorf("node %s is not among the %d nodes of the cluster", a.Node, len(nodes))
	}
	subnets := podSubnets(own)
	if len(subnets) == 0 {
		a.Log.Info("waiting for the controller manager to give this node a pod subnet", "node", a.Node)
		return nil
	}
	err := errors.Join(a.syncRoutes(wanted), a.syncMasquerade())
	if err != nil {
		return err
	}
	address, _ := internalIP(own, subnets[0].Addr().Is4())
	return a.writeConfig(subnets, mtu(address))
}

func podSubnets(node *corev1.Node) []netip.Prefix {
	var subnets []netip.Prefix
	for _, cidr := range node.Spec.PodCIDRs {
		if subnet, err := netip.ParsePrefix(cidr); err == nil {
			subnets = append(subnets, subnet.Masked())
		}
	}
	return subnets
}

func internalIP(node *corev1.Node, v4 bool) (netip.Addr, bool) {
	for _, address := range node.Status.Addresses {
		if address.Type != corev1.NodeInternalIP {
			continue
		}
		if ip, err := netip.ParseAddr(address.Address); err == nil && ip.Is4() == v4 {
			return ip, true
		}
	}
	return netip.Addr{}, false
}
