package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

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
}

func (e *KindError) Error() string {
	if len(e.Among) > 0 {
		return fmt.Sprintf("kind %q is ambiguous: write one of %s", e.Kind, strings.Join(e.Among, ", "))
	}
	return fmt.Sprintf("the cluster has no kind %q", e.Kind)
}

// Ref names an object as kubectl does: "pod/imagepull".
func Ref(kind, name string) string {
	kind, _, _ = strings.Cut(kind, ".")
	return strings.ToLower(kind) + "/" + name
}

// kindTable maps a kind's name to where it is served. It begins with the kinds that every server
// has, so that nothing has to be asked while an API server is starting.
type kindTable struct {
	mu  sync.Mutex
	all []Kind
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
		{"apps", "v1", true, "Deployment ReplicaSet StatefulSet DaemonSet"},
		{"batch", "v1", true, "Job CronJob"},
		{"networking.k8s.io", "v1", true, "NetworkPolicy=networkpolicies Ingress=ingresses"},
		{"coordination.k8s.io", "v1", true, "Lease"},
		{"discovery.k8s.io", "v1", true, "EndpointSlice"},
		{"rbac.authorization.k8s.io", "v1", true, "Role RoleBinding"},
		{"rbac.authorization.k8s.io", "v1", false, "ClusterRole ClusterRoleBinding"},
		{"storage.k8s.io", "v1", false, "StorageClass=storageclasses"},
	} {
		for _, k := range strings.Fields(g.kinds) {
			name, plural, said := strings.Cut(k, "=")
			if !said {
				plural = strings.ToLower(name) + "s"
			}
			t.all = append(t.all, Kind{name, schema.GroupVersionResource{Group: g.group, Version: g.version, Resource: plural}, g.namespaced})
		}
	}
	return t
}

// find returns the kind that name ("Pod", "Deployment.apps") stands for. The core group wins over
// others, as in kubectl.
func (t *kindTable) find(name string) (Kind, error) {
	bare, group, qualified := strings.Cut(name, ".")
	var found []Kind
	for _, k := range t.all {
		if strings.EqualFold(k.Name, bare) && (!qualified || k.Resource.Group == group) {
			found = append(found, k)
		}
	}
	if len(found) > 1 {
		if i := slices.IndexFunc(found, func(k Kind) bool { return k.Resource.Group == "" }); i >= 0 {
			return found[i], nil
		}
		e := &KindError{Kind: name}
		for _, k := range found {
			e.Among = append(e.Among, k.Name+"."+k.Resource.Group)
		}
		return Kind{}, e
	}
	if len(found) == 0 {
		return Kind{}, &KindError{Kind: name}
	}
	return found[0], nil
}

// lookup finds a kind, and asks the server for its kinds when the table lacks it.
func (c *Client) lookup(ctx context.Context, name string) (Kind, error) {
	c.kinds.mu.Lock()
	defer c.kinds.mu.Unlock()
	k, err := c.kinds.find(name)
	if err == nil {
		return k, nil
	}
	// Asked again each time, since a kind may have been added since (a CRD).
	served, derr := c.discover(ctx)
	if derr != nil {
		return Kind{}, derr
	}
	for _, k := range served {
		if !slices.ContainsFunc(c.kinds.all, func(have Kind) bool { return have.Resource.GroupResource() == k.Resource.GroupResource() }) {
			c.kinds.all = append(c.kinds.all, k)
		}
	}
	return c.kinds.find(name)
}

// Kinds asks the server for all kinds that can be listed.
func (c *Client) Kinds(ctx context.Context) ([]Kind, error) {
	return c.discover(ctx)
}

// discoveryList is the part that labctl reads of apidiscovery.k8s.io/v2, which servers speak since
// Kubernetes 1.30 (v2beta1, of the same form, since 1.27).
type discoveryList struct{ Items []discoveryGroup }

type discoveryGroup struct {
	Metadata struct{ Name string }
	Versions []struct {
		Version   string
		Resources []struct {
			Resource     string
			ResponseKind struct{ Kind string }
			Scope        string
			Verbs        []string
		}
	}
}

const acceptDiscovery = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList," +
	"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"

func (c *Client) discover(ctx context.Context) ([]Kind, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var kinds []Kind
	for _, path := range []string{"/api", "/apis"} {
		body, err := c.rest.Get().AbsPath(path).SetHeader("Accept", acceptDiscovery).Do(ctx).Raw()
		if err != nil {
			return nil, fmt.Errorf("asking the API server for its kinds: %w", away(err))
		}
		var list discoveryList
		if err := json.Unmarshal(body, &list); err != nil {
			return nil, fmt.Errorf("reading the API server's list of kinds: %w", err)
		}
		for _, group := range list.Items {
			kinds = append(kinds, group.kinds()...)
		}
	}
	return kinds, nil
}

// kinds returns the group's listable kinds, each in the version that the server prefers.
func (g discoveryGroup) kinds() []Kind {
	var kinds []Kind
	seen := map[string]bool{}
	for _, v := range g.Versions {
		for _, r := range v.Resources {
			if seen[r.Resource] || !slices.Contains(r.Verbs, "list") {
				continue
			}
			seen[r.Resource] = true
			kinds = append(kinds, Kind{
				Name:       r.ResponseKind.Kind,
				Resource:   schema.GroupVersionResource{Group: g.Metadata.Name, Version: v.Version, Resource: r.Resource},
				Namespaced: r.Scope == "Namespaced",
			})
		}
	}
	return kinds
}
