package network

import (
	"fmt"
	"os/exec"
	"strings"
)

// syncMasquerade keeps one rule per address family: what pods send out of the pod network leaves with the node's
// address, for nobody outside knows a way back to a pod. Between pods nothing is translated: a receiver sees the sender's
// own address. Traffic to this node itself is left alone too.
func (a Agent) syncMasquerade() error {
	for _, subnet := range a.PodSubnets {
		program := "iptables"
		if subnet.Addr().Is6() {
			program = "ip6tables"
		}
		rule := []string{
			"POSTROUTING", "-s", subnet.String(), "!", "-d", subnet.String(),
			"-m", "addrtype", "!", "--dst-type", "LOCAL",
			"-m", "comment", "--comment", "nodenet: traffic that leaves the pod network", "-j", "MASQUERADE",
		}
		// -w: kube-proxy writes to the same table, and holds a lock while it does.
		if exec.Command(program, append([]string{"-w", "5", "-t", "nat", "-C"}, rule...)...).Run() == nil {
			continue
		}
		out, err := exec.Command(program, append([]string{"-w", "5", "-t", "nat", "-A"}, rule...)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("adding the masquerade rule for %s: %w: %s", subnet, err, strings.TrimSpace(string(out)))
		}
		a.Log.Info("masquerade rule added", "for", subnet)
	}
	return nil
}
