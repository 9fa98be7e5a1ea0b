package scenarios

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

const (
	// policiesKnown is the ConfigMap that remembers of a cluster that it was seen to enforce policies. That it does not is not
	// remembered: a network plugin may be installed at any time.
	policiesKnown = "labctl-network-policy"
	// lookUp asks the cluster's DNS, a pod of its own network, through a Service.
	lookUp = "timeout 2 nslookup kubernetes.default.svc.cluster.local >/dev/null 2>&1"
	// cutOff ends with 3 as soon as three look-ups in a row have failed, which takes the policy some moments, and with 0 when
	// they have not for longer than that.
	cutOff = `failed=0; for i in 1 2 3 4 5 6 7 8 9 10; do if ` + lookUp + `; then failed=0; else failed=$((failed+1)); fi; sleep 1; [ "$failed" -lt 3 ] || exit 3; done; exit 0`
	// reaches fails as soon as one look-up does, at the same time.
	reaches = `for i in 1 2 3 4 5 6; do ` + lookUp + ` || exit 3; sleep 1; done`
)

// enforcesPolicies looks whether the cluster's network plugin enforces NetworkPolicies: of two pods side by side that ask
// for a name, the one that a policy forbids to reach anything has to fail, and the other must not. Both pods and the policy are
// in labctl's own namespace and are removed; the policy goes with the pod's Job also when labctl is killed.
func enforcesPolicies(ctx context.Context, sc *compiled, c *kube.Client) (string, error) {
	_, err := c.Get(ctx, "ConfigMap", probeNamespace, policiesKnown)
	if err == nil {
		return "", nil
	}
	if !apierrors.IsNotFound(err) {
		return "", err
	}
	denied, free := sc.policyProbe(c, "denied", cutOff), sc.policyProbe(c, "free", reaches)
	denied.beside = func(ctx context.Context, job *unstructured.Unstructured) error {
		_, _, err := c.Create(ctx, denyAll(denied.nonce, job), sc.marks())
		return err
	}
	var exits [2]int64
	var errs [2]error
	var both sync.WaitGroup
	for i, p := range []*probeRun{denied, free} {
		both.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, 2*p.Within+probeMargin)
			defer cancel()
			found, err := p.inOwnPod(ctx)
			if err != nil {
				errs[i] = fmt.Errorf("the pod %s: %w", p.Name, err)
				return
			}
			exits[i], _ = found["exit"].(int64)
		})
	}
	both.Wait()
	switch err := errors.Join(errs[:]...); {
	case err != nil:
		return "", err
	case exits[1] != 0:
		return "", errors.New("a pod that no policy speaks of does not always reach the cluster's DNS either")
	case exits[0] == 0:
		return "a NetworkPolicy that forbids a pod all traffic does not keep it from reaching the cluster's DNS: the network plugin does not enforce policies", nil
	}
	return "", remember(ctx, c, sc)
}

// policyProbe is one of the two pods.
func (sc *compiled) policyProbe(c *kube.Client, name, run string) *probeRun {
	const within = 20 * time.Second
	return &probeRun{Probe: &labfile.Probe{Name: name, Image: labfile.CapabilityImage, Run: run, Within: within}, sc: sc, c: c, nonce: newNonce()}
}

// denyAll is a policy that lets the pod of a probe reach nothing, for as long as its Job is there.
func denyAll(nonce string, job *unstructured.Unstructured) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
		"metadata": map[string]any{
			"name": "labctl-denied-" + nonce, "namespace": job.GetNamespace(), "labels": map[string]any{labelProbe: nonce},
			"ownerReferences": []any{map[string]any{"apiVersion": "batch/v1", "kind": "Job", "name": job.GetName(), "uid": string(job.GetUID())}},
		},
		"spec": map[string]any{
			"podSelector": map[string]any{"matchLabels": map[string]any{labelProbe: nonce}}, "policyTypes": []any{"Egress"},
		},
	}}
}

func remember(ctx context.Context, c *kube.Client, sc *compiled) error {
	_, _, err := c.Create(ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": policiesKnown, "namespace": probeNamespace},
		"data": map[string]any{"enforced": "true", "seen": c.ServerNow().UTC().Format(time.RFC3339)},
	}}, kube.Ownership{Lab: sc.lab})
	return err
}
