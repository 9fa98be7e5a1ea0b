package kube

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Kind is a kind of object and where the API serves it.
type Kind struct {
	Name       string // "Deployment"
	Resource   schema.GroupVersionResource
	Namespaced bool
}

// KindError says that the cluster knows no such kind, or more than one.
type KindError struct {
	Kind string
	// Among lists the candidates when the name is ambiguous; empty when there is none.
	Among []string
	// Versions are those in which the cluster has the kind, when the one asked for is not among them.
	Versions []string
}

func (e *KindError) Error() string {
	if len(e.Among) > 0 {
		return fmt.Sprintf("kind %q is ambiguous: write one of %s", e.Kind, strings.Join(e.Among, ", "))
	}
	if len(e.Versions) > 0 {
		return fmt.Sprintf("the cluster has no kind %q: it serves %s", e.Kind, strings.Join(e.Versions, ", "))
	}
	return fmt.Sprintf("the cluster has no kind %q", e.Kind)
}

// Ref names an object as kubectl does: "pod/imagepull".
func Ref(kind, name string) string {
	kind, _, _ = strings.Cut(kind, ".")
	return strings.ToLower(kind) + "/" + name
}

// kindName is a kind as queries and lab files spell it, which is kubectl's way: "Pod", "Deployment.apps",
// "HorizontalPodAutoscaler.v1.autoscaling". A part that is not there may be any.
type kindName struct {
	kind, version, group string
	qualified            bool // group says which one, also where it is the core group's ""
}

var versionName = regexp.MustCompile(`^v[0-9]+((alpha|beta)[0-9]+)?$`)

func parseKind(name string) kindName {
	kind, rest, qualified := strings.Cut(name, ".")
	if first, group, _ := strings.Cut(rest, "."); versionName.MatchString(first) {
		return kindName{kind, first, group, true}
	}
	return kindName{kind, "", rest, qualified}
}

// QualifiedKind returns an object's kind with its version and group, "Deployment.v1.apps", as queries spell
// it. The core group has but one version, which is left out.
func QualifiedKind(obj *unstructured.Unstructured) string {
	gvk := obj.GroupVersionKind()
	if gvk.Group == "" {
		return gvk.Kind
	}
	return gvk.Kind + "." + gvk.Version + "." + gvk.Group
}

// Unversioned returns a kind's name without a version: the same object is served in several.
func Unversioned(kind string) string {
	n := parseKind(kind)
	if n.group == "" {
		return n.kind
	}
	return n.kind + "." + n.group
}

// kindTable maps a kind's name to where it is served.
type kindTable struct {
	mu sync.Mutex
	// fixed are kinds that every server has, so that nothing has to be asked while one is starting.
	fixed []Kind
	// served are those that the server named when it was last asked, of each the preferred version first.
	served []Kind
}

func newKindTable() *kindTable {
	t := &kindTable{}
	for _, g := range []struct {
		group, version string
		namespaced     bool
		kinds          string // kind=resource, where the resource is not just kind + "s"
	}{
		{"", "v1", true, "Pod Service Endpoints=endpoints ConfigMap Secret ServiceAccount PersistentVolumeClaim ReplicationController Event"},
		{"", "v1", false, "Node Namespace PersistentVolume"},
		{"apps", "v1", true, "Deployment ReplicaSet StatefulSet DaemonSet ControllerRevision"},
		{"batch", "v1", true, "Job CronJob"},
		{"networking.k8s.io", "v1", true, "NetworkPolicy=networkpolicies Ingress=ingresses"},
		{"coordination.k8s.io", "v1", true, "Lease"},
		{"discovery.k8s.io", "v1", true, "EndpointSlice"},
		{"rbac.authorization.k8s.io", "v1", true, "Role RoleBinding"},
		{"rbac.authorization.k8s.io", "v1", false, "ClusterRole ClusterRoleBinding"},
		{"storage.k8s.io", "v1", false, "StorageClass=storageclasses"},
		{"apiextensions.k8s.io", "v1", false, "CustomResourceDefinition"},
	} {
		for _, k := range strings.Fields(g.kinds) {
			name, plural, said := strings.Cut(k, "=")
			if !said {
				plural = strings.ToLower(name) + "s"
			}
			t.fixed = append(t.fixed, Kind{name, schema.GroupVersionResource{Group: g.group, Version: g.version, Resource: plural}, g.namespaced})
		}
	}
	return t
}

// find returns the kind that name stands for. The core group wins over others, as in kubectl; of several
// versions the server's preferred one is taken unless the name says another.
func (t *kindTable) find(name string) (Kind, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	want := parseKind(name)
	var found []Kind
	unfit := &KindError{Kind: name}
	for _, k := range slices.Concat(t.fixed, t.served) {
		switch r := k.Resource; {
		case !strings.EqualFold(k.Name, want.kind), want.qualified && r.Group != want.group:
		case want.version != "" && r.Version != want.version:
			unfit.Versions = append(unfit.Versions, r.GroupVersion().String())
		case !slices.ContainsFunc(found, func(have Kind) bool { return have.Resource.GroupResource() == r.GroupResource() }):
			found = append(found, k)
		}
	}
	switch i := slices.IndexFunc(found, func(k Kind) bool { return k.Resource.Group == "" }); {
	case len(found) == 0:
		return Kind{}, unfit
	case i >= 0:
		return found[i], nil
	case len(found) == 1:
		return found[0], nil
	}
	e := &KindError{Kind: name}
	for _, k := range found {
		e.Among = append(e.Among, k.Name+"."+k.Resource.Group)
	}
	return Kind{}, e
}

// learn takes over what the server has named.
func (t *kindTable) learn(served []Kind) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.served = slices.DeleteFunc(served, func(k Kind) bool {
		return slices.ContainsFunc(t.fixed, func(have Kind) bool { return have.Resource == k.Resource })
	})
}

// forget drops a kind that the server no longer serves: its definition was deleted.
func (t *kindTable) forget(resource schema.GroupVersionResource) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.served = slices.DeleteFunc(slices.Clone(t.served), func(k Kind) bool { return k.Resource == resource })
}

// lookup finds a kind, and asks the server for its kinds when the table lacks it. The server is asked
// again each time, since a kind may have been added since (a CustomResourceDefinition).
func (c *Client) lookup(ctx context.Context, name string) (Kind, error) {
	if k, err := c.kinds.find(name); err == nil {
		return k, nil
	}
	served, err := c.discover(ctx)
	if err != nil {
		return Kind{}, err
	}
	c.kinds.learn(served)
	return c.kinds.find(name)
}

// Namespaced reports whether objects of a kind are in namespaces; a kind that the cluster lacks is a *KindError.
func (c *Client) Namespaced(ctx context.Context, kind string) (bool, error) {
	k, err := c.lookup(ctx, kind)
	return k.Namespaced, err
}
