package kind

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/kube"
)

// waitForHeartbeats waits until what the API says of the nodes is news. A node that was stopped and started
// keeps its last status, and so do its pods, until its kubelet reports again: for a while everything
// looks ready that is not there yet. News is a lease renewed since the node's container started, and
// no pod on it that claims to run since before. The engine's clock is the nodes' and the API
// server's: they are one kernel.
func (c *Cluster) waitForHeartbeats(ctx context.Context, client *kube.Client) error {
	started, err := c.startTimes(ctx)
	if err != nil {
		return err
	}
	for _, node := range takenNodes(c.takenAway(ctx)) {
		delete(started, node) // nothing is heard of it, and that is meant
	}
	if err := c.noticeRestart(ctx, started); err != nil {
		return err
	}
	if c.Restarted {
		defer c.flushStaleConntrack(ctx)()
	}
	leases := kube.Query{Kind: "Lease", Namespace: "kube-node-lease"}
	pods := kube.Query{Kind: "Pod"}
	dns := kube.Query{Kind: "Deployment", Namespace: "kube-system", Name: "coredns"}
	last := "nothing yet"
	var calm time.Time
	err = client.Until(ctx, []kube.Query{leases, pods, dns}, func(w kube.Snapshot) kube.Decision {
		if err := w.Err(); err != nil {
			last = err.Error()
			return kube.Decision{}
		}
		if !w.Synced() {
			return kube.Decision{}
		}
		stale := staleNodes(w[leases].Objects, started)
		stale = append(stale, stalePods(w[pods].Objects, started)...)
		if c.Restarted {
			stale = append(stale, unreadySystem(w[pods].Objects)...)
			stale = append(stale, unavailable(w[dns].Objects)...)
		}
		last = strings.Join(stale, ", ")
		switch {
		case len(stale) > 0:
			calm = time.Time{}
			return kube.Decision{}
		case !c.Restarted:
			return kube.Decision{Done: true}
		case calm.IsZero():
			calm = time.Now()
		}
		left := aftermath - time.Since(calm)
		return kube.Decision{Done: left <= 0, Wake: left}
	})
	if err != nil {
		return clierr.New(clierr.Failed, "waiting for the nodes to report: not heard of since their start: %s: %w", last, err)
	}
	return nil
}

// aftermath is for how long all must be well after a restart. The controllers come back last and go
// through what they missed: then CoreDNS, which has long been ready again, is unavailable for a moment.
const aftermath = 2 * time.Second

// unavailable returns the deployments that say that they are not available.
func unavailable(deployments []*unstructured.Unstructured) []string {
	var all []string
	for _, d := range deployments {
		if status, _ := kube.Status(d, "Available"); status != "True" {
			all = append(all, "deployment "+d.GetNamespace()+"/"+d.GetName())
		}
	}
	return all
}

// startTimes asks the engine when each node's container was started last.
func (c *Cluster) startTimes(ctx context.Context) (map[string]time.Time, error) {
	out, err := c.Engine.Output(ctx, append([]string{"inspect", "--format", "{{.Name}} {{.State.StartedAt}}"}, c.NodeNames()...)...)
	if err != nil {
		return nil, err
	}
	started := map[string]time.Time{}
	for name, text := range parsePairs(out) {
		if started[name], err = time.Parse(time.RFC3339Nano, text); err != nil {
			return nil, fmt.Errorf("reading when %s started: %w", name, err)
		}
	}
	return started, nil
}

// young is for how long a node counts as just started.
const young = 3 * time.Minute

// noticeRestart finds out whether the nodes were started just now, by the engine's own clock.
func (c *Cluster) noticeRestart(ctx context.Context, started map[string]time.Time) error {
	if c.Restarted {
		return nil
	}
	text, err := c.Engine.Output(ctx, "info", "--format", "{{.SystemTime}}")
	if err != nil {
		return err
	}
	now, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(text))
	if err != nil {
		return fmt.Errorf("reading the engine's clock: %w", err)
	}
	for _, at := range started {
		c.Restarted = c.Restarted || now.Sub(at) < young
	}
	return nil
}

// staleNodes returns the nodes whose kubelet has not renewed its lease since their start.
// https://kubernetes.io/docs/concepts/architecture/leases/#node-heart-beats
func staleNodes(leases []*unstructured.Unstructured, started map[string]time.Time) []string {
	renewed := map[string]time.Time{}
	for _, l := range leases {
		text, _, _ := unstructured.NestedString(l.Object, "spec", "renewTime")
		renewed[l.GetName()], _ = time.Parse(time.RFC3339Nano, text)
	}
	var stale []string
	for node, at := range started {
		if renewed[node].Before(at) {
			stale = append(stale, "node "+node)
		}
	}
	return stale
}

// stalePods returns the pods that say that they run since before their node was started.
func stalePods(pods []*unstructured.Unstructured, started map[string]time.Time) []string {
	var stale []string
	for _, p := range pods {
		node, _, _ := unstructured.NestedString(p.Object, "spec", "nodeName")
		at, known := started[node]
		statuses, _, _ := unstructured.NestedSlice(p.Object, "status", "containerStatuses")
		for _, s := range statuses {
			status, _ := s.(map[string]any)
			text, running, _ := unstructured.NestedString(status, "state", "running", "startedAt")
			since, err := time.Parse(time.RFC3339, text)
			// startedAt has whole seconds, cut off.
			if known && running && err == nil && since.Before(at.Truncate(time.Second)) {
				stale = append(stale, "pod "+p.GetNamespace()+"/"+p.GetName())
				break
			}
		}
	}
	return stale
}

// unreadySystem returns the system's own pods that are not ready. After a restart the nodes are Ready
// before the network between them is: the CNI's configuration is still on the disk, but its routes
// went with the container.
func unreadySystem(pods []*unstructured.Unstructured) []string {
	var unready []string
	for _, p := range pods {
		if p.GetNamespace() != "kube-system" {
			continue
		}
		if status, _ := kube.Status(p, "Ready"); status != "True" {
			unready = append(unready, "pod kube-system/"+p.GetName())
		}
	}
	return unready
}
