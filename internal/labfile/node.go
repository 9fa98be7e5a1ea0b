package labfile

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// The labels of Kubernetes' own namespaces that a kubelet may give itself. It refuses to start
// with any other (k8s.io/kubelet/pkg/apis, kubelet --node-labels).
var (
	ownNodeLabels = []string{
		"beta.kubernetes.io/arch", "beta.kubernetes.io/instance-type", "beta.kubernetes.io/os",
		"failure-domain.beta.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone",
		"kubernetes.io/arch", "kubernetes.io/hostname", "kubernetes.io/os",
		"node.kubernetes.io/instance-type", "topology.kubernetes.io/region", "topology.kubernetes.io/zone",
	}
	ownNodeNamespaces = []string{"kubelet.kubernetes.io", "node.kubernetes.io"}
)

// checkNodeLabels reports labels that Kubernetes would refuse, at the latest when the kubelet
// starts.
func (b *block) checkNodeLabels(labels map[string]string) {
	rng := b.rangeOf("labels")
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		for _, wrong := range validation.IsQualifiedName(key) {
			b.report(rng, "Invalid label", "%q cannot be a label: %s.", key, wrong)
		}
		for _, wrong := range validation.IsValidLabelValue(labels[key]) {
			b.report(rng, "Invalid label", "%q cannot be the value of the label %q: %s.", labels[key], key, wrong)
		}
		namespace, _, _ := strings.Cut(key, "/")
		switch {
		case namespace == key:
		case namespace == "labctl" || strings.HasSuffix(namespace, ".labctl"):
			b.report(rng, "Reserved label", "The label %q is one of labctl's own.", key)
		case within(namespace, "kubernetes.io", "k8s.io") && !within(namespace, ownNodeNamespaces...) && !slices.Contains(ownNodeLabels, key):
			b.report(rng, "Reserved label", "The kubelet does not start with the label %q, because it lies in a namespace of Kubernetes. Use one without %s/.", key, namespace)
		}
	}
}

// within says whether a DNS name is one of the given ones or lies below it.
func within(name string, domains ...string) bool {
	return slices.ContainsFunc(domains, func(domain string) bool {
		return name == domain || strings.HasSuffix(name, "."+domain)
	})
}
