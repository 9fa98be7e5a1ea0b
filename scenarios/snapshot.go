package scenarios

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/kube"
)

// Snapshot lists what is asked for in the namespace default and by objects that are in none, and of labctl's own
// objects everywhere, one line of JSON per object, sorted. What differs between two seedings of the same
// thing is left out: status, identity (UID, versions, times), chosen nodes and generated names. So
// two snapshots are equal exactly if a scenario's reset restored what was there.
//
// What belongs to the scenarios that are named as others, by its mark or because its name begins with theirs, is left
// out: they may be at work.
func Snapshot(ctx context.Context, c *kube.Client, lab string, others ...string) ([]string, error) {
	return lines(ctx, c, lab, others, func(k kube.Kind, kind string) []kube.Query {
		all := []kube.Query{{Kind: kind, Selector: kube.Ownership{Lab: lab}.Selector()}, {Kind: kind}}
		if k.Namespaced {
			all[1].Namespace = "default"
		}
		return all
	}, canonical)
}

// Present lists what is asked for in all of the cluster, as Snapshot does, and with the identity of each object: two of
// them differ if anything was changed, removed or made anew in between, other than what the cluster changes by itself.
func Present(ctx context.Context, c *kube.Client, lab string, others ...string) ([]string, error) {
	everywhere := func(_ kube.Kind, kind string) []kube.Query { return []kube.Query{{Kind: kind}} }
	return lines(ctx, c, lab, others, everywhere, func(o *unstructured.Unstructured) (string, error) {
		line, err := canonical(o)
		return line + " " + string(o.GetUID()), err
	})
}

// lines writes down, sorted, each of the objects that the queries for each kind find and that does not belong to others.
func lines(ctx context.Context, c *kube.Client, lab string, others []string, queries func(kube.Kind, string) []kube.Query, line func(*unstructured.Unstructured) (string, error)) ([]string, error) {
	kinds, err := c.Kinds(ctx)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, k := range kinds {
		kind := k.Name
		if k.Resource.Group != "" {
			kind += "." + k.Resource.Group
		}
		if slices.Contains(volatile, kind) || k.Resource.Group == "metrics.k8s.io" {
			continue
		}
		for _, q := range queries(k, kind) {
			objs, err := c.List(ctx, q)
			if len(others) > 0 && isNoKind(err) {
				continue // one of theirs, which is gone by now
			}
			if err != nil {
				return nil, err
			}
			for _, o := range objs {
				if unremarkable(o, lab, len(others) > 0) || slices.ContainsFunc(others, func(other string) bool { return belongsTo(o, other) }) {
					continue
				}
				text, err := line(o)
				if err != nil {
					return nil, err
				}
				all = append(all, text)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// unremarkable reports whether an object is one that labctl or the API server keeps by itself: a record with entries
// (times and UIDs; an empty one would be a trace, but that the last of others which are at work may be about to remove it),
// the namespace of probes and what is in it, API services of CRDs.
func unremarkable(o *unstructured.Unstructured, lab string, shared bool) bool {
	if o.GetNamespace() == recordNamespace && o.GetName() == recordName(lab) {
		if records, _, _ := unstructured.NestedMap(o.Object, "data"); shared || len(records) > 0 {
			return true
		}
	}
	return o.GetLabels()[automanaged] == "true" || o.GetLabels()[labelProbe] != "" || slices.Contains(probeNamespaces, o.GetNamespace()) ||
		o.GetKind() == "Namespace" && slices.Contains(probeNamespaces, o.GetName())
}

// automanaged is the label of APIServices that the API server makes itself, and which follow from the CRDs.
const automanaged = "kube-aggregator.kubernetes.io/automanaged"

// belongsTo reports whether an object is a scenario's: what carries its mark, and by the rule for the names of a
// scenario's objects also what a learner has made in place of one.
func belongsTo(o *unstructured.Unstructured, scenario string) bool {
	return o.GetLabels()[kube.LabelScenario] == scenario || o.GetNamespace() == scenario || strings.HasPrefix(o.GetNamespace(), scenario+"-") ||
		o.GetName() == scenario || strings.HasPrefix(o.GetName(), scenario+"-")
}

// volatile are kinds whose objects come and go by themselves: events and leases tell of the past and of heartbeats,
// endpoints and addresses follow from the rest, and volumes go some time after their claims.
var volatile = []string{
	"Event", "Event.events.k8s.io", "Lease.coordination.k8s.io", "Endpoints", "EndpointSlice.discovery.k8s.io", "ComponentStatus",
	"PersistentVolume", "VolumeAttachment.storage.k8s.io", "CertificateSigningRequest.certificates.k8s.io",
	"IPAddress.networking.k8s.io",
}

// assigned are the fields of a Service that the API server fills in where nobody has.
var assigned = []string{"clusterIP", "clusterIPs", "healthCheckNodePort"}

// canonical writes an object without what is its own alone.
func canonical(o *unstructured.Unstructured) (string, error) {
	o = o.DeepCopy()
	meta, _ := o.Object["metadata"].(map[string]any)
	for _, field := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"} {
		delete(meta, field)
	}
	if prefix, ok := meta["generateName"].(string); ok {
		meta["name"] = prefix + "*"
	}
	owners, _ := meta["ownerReferences"].([]any)
	for _, owner := range owners {
		if ref, ok := owner.(map[string]any); ok {
			delete(ref, "uid")
		}
	}
	delete(o.Object, "status")
	if spec, ok := o.Object["spec"].(map[string]any); ok {
		delete(spec, "nodeName")
		delete(spec, "volumeName") // of the volume that was made for a claim
		if o.GetKind() == "Service" && spec["clusterIP"] != "None" {
			for _, field := range assigned {
				delete(spec, field)
			}
		}
		for _, port := range elements(spec, "ports") {
			delete(port, "nodePort")
		}
		withoutConditionTaints(spec)
	}
	text, err := json.Marshal(o.Object)
	if err != nil {
		return "", fmt.Errorf("writing down %s: %w", refOf(o), err)
	}
	return o.GetNamespace() + " " + refOf(o) + " " + serviceAccountVolume(o, string(text)), nil
}

// withoutConditionTaints takes away the taints by which the node controller repeats a node's conditions, some moments after
// them: they follow from the node's status.
// https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
func withoutConditionTaints(spec map[string]any) {
	taints, is := spec["taints"].([]any)
	if !is {
		return
	}
	taints = slices.DeleteFunc(taints, func(t any) bool {
		taint, _ := t.(map[string]any)
		key, _ := taint["key"].(string)
		return strings.HasPrefix(key, "node.kubernetes.io/")
	})
	if spec["taints"] = taints; len(taints) == 0 {
		delete(spec, "taints")
	}
}

// elements returns the elements of a list in a spec, such as the ports of a Service.
func elements(spec map[string]any, field string) (all []map[string]any) {
	list, _ := spec[field].([]any)
	for _, e := range list {
		if element, ok := e.(map[string]any); ok {
			all = append(all, element)
		}
	}
	return all
}

// serviceAccountVolume replaces the random name of the volume that admission adds to every pod.
func serviceAccountVolume(o *unstructured.Unstructured, text string) string {
	volumes, _, _ := unstructured.NestedSlice(o.Object, "spec", "volumes")
	for _, v := range volumes {
		volume, _ := v.(map[string]any)
		if name, _ := volume["name"].(string); strings.HasPrefix(name, "kube-api-access-") {
			text = strings.ReplaceAll(text, name, "kube-api-access-*")
		}
	}
	return text
}

func isNoKind(err error) bool {
	_, ok := errors.AsType[*kube.KindError](err)
	return ok
}
