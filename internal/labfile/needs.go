package labfile

import "slices"

// The capabilities of a cluster that a scenario may need. Each is a fact that is observed on the cluster before the scenario is
// seeded; what cannot be observed truthfully, such as that something serves an Ingress, is none.
const (
	NeedsNetworkPolicy       = "network-policy"        // NetworkPolicies are enforced
	NeedsDefaultStorageClass = "default-storage-class" // a claim that names no class gets a volume
	NeedsExpandableStorage   = "expandable-storage"    // and that volume can grow
	NeedsTwoWorkers          = "two-workers"           // two worker nodes take ordinary pods
	NeedsMetrics             = "metrics"               // kubectl top works
)

// Capabilities returns all of them, in the order in which they are told.
func Capabilities() []string {
	return []string{NeedsNetworkPolicy, NeedsDefaultStorageClass, NeedsExpandableStorage, NeedsTwoWorkers, NeedsMetrics}
}

// CapabilityImage is the image of the pods by which a capability is observed.
const CapabilityImage = "busybox:1.36"

// needs decodes the capabilities that a scenario needs.
func (b *block) needs() []string {
	words, _ := b.texts("needs")
	for i, word := range words {
		b.oneOf("needs", word, Capabilities())
		if slices.Contains(words[:i], word) {
			b.report(b.rangeOf("needs"), "Named twice", "%q is named twice.", word)
		}
	}
	return words
}
