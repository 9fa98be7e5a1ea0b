package scenarios

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

// capability is something that a cluster can do or cannot.
type capability struct {
	// observe looks whether it can, and changes nothing that stays. lacks is what was seen where it cannot; an error says why it
	// cannot be told.
	observe func(ctx context.Context, sc *compiled, c *kube.Client) (lacks string, err error)
	// cure is what to do about a cluster without it.
	cure string
}

// capabilities has an entry for each of labfile.Capabilities.
var capabilities = map[string]capability{
	labfile.NeedsNetworkPolicy: {
		enforcesPolicies,
		"Use a cluster whose network plugin enforces NetworkPolicies, such as a node image of kind v0.24 or newer (`image` in the cluster block), or leave the scenario out.",
	},
	labfile.NeedsDefaultStorageClass: {
		func(ctx context.Context, _ *compiled, c *kube.Client) (string, error) {
			return lacksDefault(ctx, c, false)
		},
		"Make a StorageClass with a provisioner that runs, and mark it as the default: kubectl annotate storageclass NAME storageclass.kubernetes.io/is-default-class=true.",
	},
	labfile.NeedsExpandableStorage: {
		func(ctx context.Context, _ *compiled, c *kube.Client) (string, error) {
			return lacksDefault(ctx, c, true)
		},
		"Make a StorageClass whose provisioner can expand volumes, with allowVolumeExpansion: true, and mark it as the default.",
	},
	labfile.NeedsTwoWorkers: {
		func(ctx context.Context, _ *compiled, c *kube.Client) (string, error) { return lacksWorkers(ctx, c, 2) },
		"Let the lab file's cluster block have `node \"worker\" { count = 2 }`, and make it anew; nodes that are set aside are let in by kubectl uncordon.",
	},
	labfile.NeedsMetrics: {lacksMetrics, "Install metrics-server in the cluster, and wait until `kubectl top nodes` answers."},
}

// incapable refuses a scenario that needs what the cluster was seen not to be able to, before anything is made of it: its fault
// would not show there, or would show for another reason. Where that cannot be told, the error is clierr.Inconclusive.
func (sc *compiled) incapable(ctx context.Context, c *kube.Client) error {
	var all []error
	for _, name := range sc.s.Needs {
		can := capabilities[name]
		lacks, err := can.observe(ctx, sc, c)
		switch {
		case err != nil:
			all = append(all, clierr.New(clierr.Inconclusive, "it cannot be told whether the cluster has %s, which scenario %s needs: %w", name, sc.s.Name, err))
		case lacks != "":
			all = append(all, clierr.New(clierr.Refused, "scenario %s needs %s, which the cluster lacks: %s", sc.s.Name, name, lacks).WithNext("%s", can.cure))
		}
	}
	return errors.Join(all...)
}

// defaultClass is the annotation of a StorageClass that claims get which name none.
const defaultClass = "storageclass.kubernetes.io/is-default-class"

func lacksDefault(ctx context.Context, c *kube.Client, expandable bool) (string, error) {
	classes, err := c.List(ctx, kube.Query{Kind: "StorageClass.storage.k8s.io"})
	if err != nil {
		return "", err
	}
	var found []*unstructured.Unstructured
	for _, class := range classes {
		if class.GetAnnotations()[defaultClass] == "true" {
			found = append(found, class)
		}
	}
	if len(found) == 0 {
		return fmt.Sprintf("it has no default StorageClass (%d in all)", len(classes)), nil
	}
	// Of several defaults Kubernetes takes the newest, and of two as old the first by name.
	newest := slices.MaxFunc(found, func(a, b *unstructured.Unstructured) int {
		return a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time)
	})
	if grows, _ := newest.Object["allowVolumeExpansion"].(bool); expandable && !grows {
		return fmt.Sprintf("its default StorageClass %s does not have allowVolumeExpansion", newest.GetName()), nil
	}
	return "", nil
}

func lacksWorkers(ctx context.Context, c *kube.Client, wanted int) (string, error) {
	nodes, err := c.List(ctx, nodesQuery)
	if err != nil {
		return "", err
	}
	fit, unready := 0, 0
	for _, node := range nodes {
		if _, is := node.GetLabels()["node-role.kubernetes.io/control-plane"]; is || repels(node) {
			continue
		}
		if status, _ := kube.Status(node, "Ready"); status == "True" {
			fit++
		} else {
			unready++
		}
	}
	switch {
	case fit >= wanted:
		return "", nil
	case fit+unready >= wanted:
		return "", fmt.Errorf("%s not Ready", count.Do(unready, "worker node", "is", "are"))
	}
	return fmt.Sprintf("%s ordinary pods, of %s in all", count.Do(fit+unready, "worker node", "takes", "take"), count.Of(len(nodes), "node")), nil
}

// repels reports whether a node takes no ordinary pod: it is cordoned, or has a taint that keeps pods off. Those by which
// Kubernetes itself says that a node is not ready do not count, since they pass.
func repels(node *unstructured.Unstructured) bool {
	if cordoned, _, _ := unstructured.NestedBool(node.Object, "spec", "unschedulable"); cordoned {
		return true
	}
	taints, _, _ := unstructured.NestedSlice(node.Object, "spec", "taints")
	return slices.ContainsFunc(taints, func(t any) bool {
		taint, _ := t.(map[string]any)
		passing := taint["key"] == "node.kubernetes.io/not-ready" || taint["key"] == "node.kubernetes.io/unreachable"
		return !passing && taint["effect"] != "PreferNoSchedule"
	})
}

// lacksMetrics looks for what kubectl top and autoscalers ask.
func lacksMetrics(ctx context.Context, _ *compiled, c *kube.Client) (string, error) {
	const name = "v1beta1.metrics.k8s.io"
	service, err := c.Get(ctx, "APIService.apiregistration.k8s.io", "", name)
	if apierrors.IsNotFound(err) {
		return "there is no APIService " + name, nil
	}
	if err != nil {
		return "", err
	}
	if status, message := kube.Status(service, "Available"); status != "True" {
		return "", fmt.Errorf("the APIService %s is not available now: %s", name, message)
	}
	return "", nil
}
