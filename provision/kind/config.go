package kind

import (
	"encoding/json"
	"fmt"
	"maps"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"

	"github.com/labctl/labctl/internal/labfile"
)

// kindConfig translates a lab's cluster into kind's own configuration.
func kindConfig(spec *labfile.Cluster, apiPort int, cgroupVersion, kubernetes, image string) (*v1alpha4.Cluster, error) {
	config := &v1alpha4.Cluster{
		TypeMeta: v1alpha4.TypeMeta{Kind: "Cluster", APIVersion: "kind.x-k8s.io/v1alpha4"},
		Name:     spec.Name,
		Networking: v1alpha4.Networking{
			APIServerAddress: "127.0.0.1", // never on an address that others reach
			APIServerPort:    int32(apiPort),
		},
	}
	for _, n := range spec.Nodes {
		config.Nodes = append(config.Nodes, v1alpha4.Node{Role: v1alpha4.NodeRole(n.Role), Labels: n.Labels, Image: image})
	}
	kubelet := map[string]any{}
	maps.Copy(kubelet, spec.Kubelet)
	// The kubelet refuses to start on cgroup v1 from 1.35 on unless told otherwise
	// (KubeletConfiguration.failCgroupV1). What counts is the engine's kernel, not this machine's.
	if cgroupVersion == "1" && !newer("1.35.0", kubernetes+".0") {
		if _, set := kubelet["failCgroupV1"]; !set {
			kubelet["failCgroupV1"] = false
		}
	}
	if len(kubelet) > 0 {
		kubelet["kind"] = "KubeletConfiguration"
		kubelet["apiVersion"] = "kubelet.config.k8s.io/v1beta1"
		patch, err := json.Marshal(kubelet) // JSON is YAML, and has no indentation to get wrong
		if err != nil {
			return nil, fmt.Errorf("writing the kubelet settings: %w", err)
		}
		config.KubeadmConfigPatches = append(config.KubeadmConfigPatches, string(patch))
	}
	return config, nil
}
