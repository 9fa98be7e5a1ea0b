package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
)

// The pace at which an API server is asked whether it answers, while there is nothing to watch.
const (
	apiPoll    = 200 * time.Millisecond // it starts on the cores that asking takes
	apiTimeout = 2 * time.Second
)

// WaitAPI waits until the API server says that it is ready and objects can be made: its /readyz
// answers, and the namespace default has its service account, without which pods are refused.
// When ctx ends it returns a clierr.Inconclusive with what it saw last.
func (c *Client) WaitAPI(ctx context.Context) error {
	for {
		err := c.Ready(ctx)
		if err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return clierr.New(clierr.Inconclusive, "waiting for the API server: %w", err)
		case <-time.After(apiPoll):
		}
	}
	return c.WaitServiceAccount(ctx, "default")
}

// Ready asks the API server's /readyz once; nil means that it is ready.
func (c *Client) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	body, err := c.rest.Get().AbsPath("/readyz").Do(ctx).Raw()
	if err != nil {
		if msg := strings.TrimSpace(string(body)); msg != "" {
			return fmt.Errorf("asking /readyz: %w: %s", away(err), msg)
		}
		return fmt.Errorf("asking /readyz: %w", away(err))
	}
	return nil
}

// WaitServiceAccount waits until the namespace has its default service account: until then the API
// server refuses to make pods in it.
func (c *Client) WaitServiceAccount(ctx context.Context, namespace string) error {
	q := Query{Kind: "ServiceAccount", Namespace: namespace, Name: "default"}
	var last error
	err := c.Until(ctx, []Query{q}, func(s Snapshot) Decision {
		last = s[q].Err
		return Decision{Done: len(s[q].Objects) > 0}
	})
	if err != nil {
		if last == nil {
			last = fmt.Errorf("it does not exist yet")
		}
		return clierr.New(clierr.Inconclusive, "waiting for the default service account of namespace %s: %w", namespace, last)
	}
	return nil
}

// WaitDefined waits until objects of a kind can be made whose CustomResourceDefinition, of this name, was made a
// moment ago. It does not wait for what will not come: a version that the definition lacks, names that another has.
func (c *Client) WaitDefined(ctx context.Context, definition, kind string) error {
	q := Query{Kind: "CustomResourceDefinition", Name: definition}
	last, never := fmt.Errorf("it does not exist yet"), error(nil)
	err := c.Until(ctx, []Query{q}, func(s Snapshot) Decision {
		for _, o := range s[q].Objects {
			if status, message := Status(o, "NamesAccepted"); status == "False" {
				never = fmt.Errorf("its names are taken: %s", message)
				return Decision{Done: true}
			}
			if status, message := Status(o, "Established"); status != "True" {
				last = fmt.Errorf("it is not established: %s", message)
				continue
			}
			var unknown *KindError
			if _, last = c.lookup(ctx, kind); errors.As(last, &unknown) && len(unknown.Versions) > 0 {
				never = last
			}
			return Decision{Done: last == nil || never != nil, Wake: apiPoll}
		}
		if s[q].Err != nil {
			last = s[q].Err
		}
		return Decision{}
	})
	switch {
	case never != nil:
		return clierr.New(clierr.Failed, "defining kind %s by %s: %w", kind, definition, never)
	case err != nil:
		return clierr.New(clierr.Inconclusive, "waiting for kind %s, which %s defines: %w", kind, definition, last)
	}
	return nil
}

// WaitReady waits until the cluster has at least so many nodes, all Ready, and CoreDNS is
// available. Nodes that are named as taken are not waited for, and where there are any, CoreDNS, which may have
// been on them, is not either. When ctx ends it returns a clierr.Failed with what it saw last.
func (c *Client) WaitReady(ctx context.Context, nodes int, taken ...string) error {
	nq := Query{Kind: "Node"}
	dq := Query{Kind: "Deployment", Namespace: "kube-system", Name: "coredns"}
	last := "nothing yet"
	err := c.Until(ctx, []Query{nq, dq}, func(s Snapshot) Decision {
		if err := s.Err(); err != nil {
			last = err.Error()
			return Decision{}
		}
		if !s.Synced() {
			return Decision{}
		}
		rest := slices.DeleteFunc(slices.Clone(s[nq].Objects), func(n *unstructured.Unstructured) bool { return slices.Contains(taken, n.GetName()) })
		missing := nodesMissing(rest, nodes-len(taken))
		if len(taken) == 0 {
			missing = append(missing, corednsMissing(s[dq].Objects)...)
		}
		last = strings.Join(missing, "; ")
		return Decision{Done: last == ""}
	})
	if err != nil {
		return clierr.New(clierr.Failed, "waiting for the cluster to be ready: last seen: %s: %w", last, err)
	}
	return nil
}

// NodesReady returns the nodes of objs whose condition Ready is True.
func NodesReady(objs []*unstructured.Unstructured) (ready []string) {
	for _, o := range objs {
		if status, _ := Status(o, "Ready"); status == "True" {
			ready = append(ready, o.GetName())
		}
	}
	return ready
}

func nodesMissing(objs []*unstructured.Unstructured, want int) []string {
	ready := len(NodesReady(objs))
	if ready >= want && ready == len(objs) {
		return nil
	}
	said := []string{fmt.Sprintf("%d of %s Ready", ready, count.Of(max(want, len(objs)), "node"))}
	for _, o := range objs {
		if status, message := Status(o, "Ready"); status != "True" {
			said = append(said, fmt.Sprintf("%s: %s", o.GetName(), message))
		}
	}
	return said
}

func corednsMissing(objs []*unstructured.Unstructured) []string {
	if len(objs) == 0 {
		return []string{"kube-system has no deployment coredns"}
	}
	if status, _ := Status(objs[0], "Available"); status == "True" {
		return nil
	}
	want, _, _ := unstructured.NestedInt64(objs[0].Object, "spec", "replicas")
	have, _, _ := unstructured.NestedInt64(objs[0].Object, "status", "availableReplicas")
	return []string{fmt.Sprintf("coredns: %d of %d available", have, want)}
}

// Status returns the status ("True", "False", "Unknown") and the message of one of an object's
// status.conditions; both are empty when it lacks that condition.
func Status(obj *unstructured.Unstructured, condition string) (status, message string) {
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, c := range conditions {
		m, _ := c.(map[string]any)
		if m["type"] == condition {
			status, _ = m["status"].(string)
			message, _ = m["message"].(string)
			return status, message
		}
	}
	return "", ""
}
