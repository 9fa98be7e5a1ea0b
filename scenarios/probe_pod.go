package scenarios

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/labctl/labctl/internal/kube"
)

const (
	// probeNamespace is labctl's own, for throwaway pods whose probe names no other. It stays while the cluster does.
	probeNamespace = "labctl-probes"
	// scriptNamespace is its like for the pods of scripts.
	scriptNamespace = "labctl-scripts"
	// labelProbe marks the pods of probes: they are nobody's work.
	labelProbe = "labctl/probe"
	// probeTTL is how many seconds a Job that has ended is kept where labctl was killed before it could remove it.
	probeTTL = 60
)

// probeNamespaces are labctl's own.
var probeNamespaces = []string{probeNamespace, scriptNamespace}

// inOwnPod makes a pod for the probe, waits until it has ended, reads what it printed and removes it. The pod is a Job's,
// so that it also ends and goes when labctl is killed meanwhile.
func (p *probeRun) inOwnPod(ctx context.Context) (map[string]any, error) {
	if err := p.ensureNamespace(ctx); err != nil {
		return nil, err
	}
	job := p.job()
	if p.Script != nil {
		remove, err := p.prepareScript(ctx, job.GetName())
		defer remove()
		if err != nil {
			return nil, err
		}
	}
	live, _, err := p.c.Create(ctx, job, p.sc.marks())
	if err != nil {
		return nil, err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = p.c.Delete(end, live) // its time to live is the second way
	}()
	if p.beside != nil {
		if err := p.beside(ctx, live); err != nil {
			return nil, err
		}
	}
	pod, err := p.awaitPod(ctx, live)
	if err != nil {
		return nil, err
	}
	printed, err := p.c.Logs(ctx, pod.GetNamespace(), pod.GetName(), "probe", false, maxProbeOutput+(1<<10))
	if err != nil {
		return nil, err
	}
	found, err := p.parse(printed)
	if why := ended(pod); err != nil && why != "" {
		return nil, fmt.Errorf("%w (its container: %s)", err, why)
	}
	return found, err
}

func (p *probeRun) ensureNamespace(ctx context.Context) error {
	ns := p.namespace()
	if slices.Contains(probeNamespaces, ns) {
		level := "restricted"
		if ns == scriptNamespace {
			level = "privileged" // kubectl is a file of the node's
		}
		own := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Namespace",
			"metadata": map[string]any{"name": ns, "labels": map[string]any{"pod-security.kubernetes.io/enforce": level}},
		}}
		if _, _, err := p.c.Create(ctx, own, kube.Ownership{Lab: p.sc.lab}); err != nil {
			return err
		}
	}
	return p.c.WaitServiceAccount(ctx, ns)
}

func (p *probeRun) namespace() string {
	if p.Script != nil {
		return scriptNamespace
	}
	return cmp.Or(p.Namespace, probeNamespace)
}

// job is what runs the probe: it satisfies the restricted pod security standard, and fits small quotas.
func (p *probeRun) job() *unstructured.Unstructured {
	var argv []any
	for _, arg := range p.argv() {
		argv = append(argv, arg)
	}
	labels := map[string]any{labelProbe: p.nonce}
	for key, value := range p.Labels {
		labels[key] = value
	}
	container := map[string]any{
		"name": "probe", "image": p.Image, "imagePullPolicy": "IfNotPresent", "command": argv,
		"securityContext": map[string]any{"allowPrivilegeEscalation": false, "capabilities": map[string]any{"drop": []any{"ALL"}}},
		"resources": map[string]any{
			"requests": map[string]any{"cpu": "10m", "memory": "16Mi"},
			"limits":   map[string]any{"cpu": "250m", "memory": "64Mi"},
		},
	}
	spec := map[string]any{
		"restartPolicy": "Never", "terminationGracePeriodSeconds": int64(1), "enableServiceLinks": false,
		"automountServiceAccountToken": p.ServiceAccount != "",
		"securityContext": map[string]any{
			"runAsNonRoot": true, "runAsUser": int64(65534), "runAsGroup": int64(65534),
			"seccompProfile": map[string]any{"type": "RuntimeDefault"},
		},
		"containers": []any{container},
		// A scenario may keep pods off the worker nodes, and its probes are none of what that is about.
		"tolerations": []any{map[string]any{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"}},
	}
	if p.ServiceAccount != "" {
		spec["serviceAccountName"] = p.ServiceAccount
	}
	if p.Claim != "" {
		container["volumeMounts"] = []any{map[string]any{"name": "claim", "mountPath": "/claim", "readOnly": true}}
		spec["volumes"] = []any{map[string]any{"name": "claim", "persistentVolumeClaim": map[string]any{"claimName": p.Claim, "readOnly": true}}}
	}
	kind := "probe-%.15s"
	if p.Script != nil {
		kind = "script-%.12s"
	}
	name := strings.ToLower(strings.ReplaceAll(p.Name, "_", "-"))
	job := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "batch/v1", "kind": "Job",
		"metadata": map[string]any{
			"name": strings.Trim(fmt.Sprintf("%.25s-"+kind, p.sc.s.Name, name), "-") + "-" + p.nonce, "namespace": p.namespace(),
			"labels": map[string]any{labelProbe: p.nonce},
		},
		"spec": map[string]any{
			"backoffLimit": int64(0), "ttlSecondsAfterFinished": int64(probeTTL),
			"activeDeadlineSeconds": int64((p.Takes() + probeMargin).Seconds()),
			"template":              map[string]any{"metadata": map[string]any{"labels": labels}, "spec": spec},
		},
	}}
	if p.Script != nil {
		p.addScript(job.GetName(), container, spec)
	}
	return job
}

// awaitPod returns the probe's pod when it has ended. An error says what keeps it from that.
func (p *probeRun) awaitPod(ctx context.Context, job *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	pods := kube.Query{Kind: "Pod", Namespace: job.GetNamespace(), Selector: labelProbe + "=" + p.nonce}
	var ended *unstructured.Unstructured
	var stuck error
	last := "its pod was not made"
	err := p.c.Until(ctx, []kube.Query{pods}, func(s kube.Snapshot) kube.Decision {
		for _, pod := range s[pods].Objects {
			phase, _, _ := unstructured.NestedString(pod.Object, "status", "phase")
			if phase == "Succeeded" || phase == "Failed" {
				ended = pod
				return kube.Decision{Done: true}
			}
			var final bool
			if last, final = waits(pod); final {
				stuck = errors.New(last)
				return kube.Decision{Done: true}
			}
		}
		return kube.Decision{}
	})
	switch {
	case stuck != nil:
		return nil, stuck
	case err != nil:
		return nil, fmt.Errorf("%s%s: %w", last, p.refusal(ctx, job), err)
	}
	return ended, nil
}

// waits says what a pod that has not ended waits for, and whether that is not worth waiting for.
func waits(pod *unstructured.Unstructured) (why string, final bool) {
	statuses, _, _ := unstructured.NestedSlice(pod.Object, "status", "containerStatuses")
	for _, s := range statuses {
		status, _ := s.(map[string]any)
		reason, _, _ := unstructured.NestedString(status, "state", "waiting", "reason")
		message, _, _ := unstructured.NestedString(status, "state", "waiting", "message")
		if reason != "" && reason != "ContainerCreating" && reason != "PodInitializing" {
			return strings.TrimSuffix(fmt.Sprintf("its container does not start: %s: %s", reason, message), ": "), true
		}
	}
	if status, message := kube.Status(pod, "PodScheduled"); status == "False" {
		return "no node takes its pod: " + message, false
	}
	return "its pod has not ended", false
}

// ended says how a pod's container ended, where that was not by its own exit code 0.
func ended(pod *unstructured.Unstructured) string {
	statuses, _, _ := unstructured.NestedSlice(pod.Object, "status", "containerStatuses")
	for _, s := range statuses {
		status, _ := s.(map[string]any)
		reason, _, _ := unstructured.NestedString(status, "state", "terminated", "reason")
		message, _, _ := unstructured.NestedString(status, "state", "terminated", "message")
		if reason != "Completed" {
			return strings.TrimSpace(reason + " " + message)
		}
	}
	message, _, _ := unstructured.NestedString(pod.Object, "status", "message")
	return message
}

// refusal is what the cluster says of a pod that it does not let in: that stands in the Job's events alone.
func (p *probeRun) refusal(ctx context.Context, job *unstructured.Unstructured) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	events, err := p.c.List(ctx, kube.Query{Kind: "Event", Namespace: job.GetNamespace()})
	if err != nil {
		return ""
	}
	for _, e := range events {
		about, _, _ := unstructured.NestedString(e.Object, "involvedObject", "uid")
		if e.Object["reason"] == "FailedCreate" && about == string(job.GetUID()) {
			return fmt.Sprintf(" (%v)", e.Object["message"])
		}
	}
	return ""
}

// notProbes leaves out the pods of probes.
func notProbes(objs []*unstructured.Unstructured) []*unstructured.Unstructured {
	var rest []*unstructured.Unstructured
	for _, o := range objs {
		if o.GetLabels()[labelProbe] == "" {
			rest = append(rest, o)
		}
	}
	return rest
}

// AwaitProbes returns when the pods of probes that the lab has now are gone: they are removed when they are done, but not
// waited for. One that stays is an error. Those that are made meanwhile, for a scenario that is proven beside, may stay.
func AwaitProbes(ctx context.Context, c *kube.Client, lab string) error {
	ctx, cancel := context.WithTimeout(ctx, probeMargin)
	defer cancel()
	q := kube.Query{Kind: "Pod", Selector: kube.Ownership{Lab: lab}.Selector() + "," + labelProbe}
	left := ""
	var awaited map[types.UID]bool
	err := c.Until(ctx, []kube.Query{q}, func(s kube.Snapshot) kube.Decision {
		if !s[q].Synced {
			return kube.Decision{}
		}
		first := awaited == nil
		if first {
			awaited = map[types.UID]bool{}
		}
		left = ""
		for _, pod := range s[q].Objects {
			if first {
				awaited[pod.GetUID()] = true
			}
			if awaited[pod.GetUID()] {
				left = refOf(pod)
			}
		}
		return kube.Decision{Done: left == ""}
	})
	if err != nil {
		return fmt.Errorf("waiting for %s, a probe's, to be gone: %w", cmp.Or(left, "the pods of probes"), err)
	}
	return nil
}
