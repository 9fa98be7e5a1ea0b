package network

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
)

// configName sorts before what a learner may add, so it is the one that is used.
const configName = "10-nodenet.conflist"

type object map[string]any

// writeConfig tells the container runtime how to connect a pod. The addresses handed out are remembered under /run: they
// go away with the node's pods when the node is stopped.
func (a Agent) writeConfig(subnets []netip.Prefix, mtu int) error {
	var ranges [][]object
	var routes []object
	for _, subnet := range subnets {
		ranges = append(ranges, []object{{"subnet": subnet.String()}})
		everything := "0.0.0.0/0"
		if subnet.Addr().Is6() {
			everything = "::/0"
		}
		routes = append(routes, object{"dst": everything})
	}
	ptp := object{
		"type": "ptp", "ipMasq": false,
		"ipam": object{"type": "host-local", "dataDir": "/run/cni-ipam-state", "ranges": ranges, "routes": routes},
	}
	if mtu > 0 {
		ptp["mtu"] = mtu
	}
	content, err := json.MarshalIndent(object{
		"cniVersion": "1.0.0", "name": "nodenet",
		"plugins": []object{ptp, {"type": "portmap", "capabilities": object{"portMappings": true}}},
	}, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(a.ConfigDir, configName)
	present, err := os.ReadFile(path)
	if err == nil && bytes.Equal(present, content) {
		return nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("reading the network configuration: %w", err)
	}
	// The runtime watches the directory: it must never see half a file, nor one whose name it would load too early.
	if err := os.WriteFile(path+".new", content, 0o644); err != nil {
		return fmt.Errorf("writing the network configuration: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("writing the network configuration: %w", err)
	}
	a.Log.Info("network configuration written", "file", path, "subnets", subnets)
	return nil
}
