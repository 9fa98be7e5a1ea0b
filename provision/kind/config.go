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
	if cgroupVersion == "1" && !newer("1.35", kubernetes) {
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
	if !listArguments(kubernetes) {
		config.KubeadmConfigPatches = append(config.KubeadmConfigPatches, startFast)
		config.KubeadmConfigPatches = append(config.KubeadmConfigPatches, keepPreviousRun()...)
	}
	return config, nil
}

// listArguments tells whether kind writes kubeadm's v1beta4, from Kubernetes 1.36 on: its extra arguments are
// a list that a merge patch would replace as a whole, kind's own included. There they are left alone.
func listArguments(kubernetes string) bool { return !newer("1.36", kubernetes) }

// startFast takes two waits out of the start of a control plane. The controller manager makes a client and a
// service account for each of its controllers before it starts the first, and its own limit of 20 requests
// a second (--kube-api-qps) makes that last 5 seconds, in which no pod can be made and no node can join. And
// one control plane has nobody to elect: the election only costs its retry period (2 s) at the start, up to
// the lease (15 s) after a restart, and on a busy laptop the process, which exits when it renews too late.
// https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/
const startFast = `{"kind":"ClusterConfiguration",` +
	`"controllerManager":{"extraArgs":{"kube-api-qps":"200","kube-api-burst":"400","leader-elect":"false"}},` +
	`"scheduler":{"extraArgs":{"leader-elect":"false"}}}`

// keepPreviousRun has the kubelets keep two dead instances of a container instead of one, so that
// `kubectl logs --previous` works at every moment of a crash loop. Since Kubernetes 1.35 a pod's status
// stays "Error" for most of the pause between two starts; the previous run is then the one before the
// one that died last, which a kubelet that keeps one has removed ("unable to retrieve container logs").
// It is a flag and no field of the KubeletConfiguration, deprecated, and still there in 1.37.
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/cmd/kubelet/app/options/options.go#L312
func keepPreviousRun() []string {
	const patch = `{"kind":%q,"nodeRegistration":{"kubeletExtraArgs":{"maximum-dead-containers-per-container":"2"}}}`
	return []string{fmt.Sprintf(patch, "InitConfiguration"), fmt.Sprintf(patch, "JoinConfiguration")}
}
