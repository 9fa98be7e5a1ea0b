package kubetest

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/kube"
)

// served is a kind that discovery lists.
type served struct {
	group, version, kind, resource string
	namespaced                     bool
}

// builtIn are kinds that real servers have and clients do not know without asking, of each the preferred version
// first.
var builtIn = []served{
	{"autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true},
	{"autoscaling", "v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true},
	{"apiregistration.k8s.io", "v1", "APIService", "apiservices", false},
	{"scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", false},
}

// kinds lists what is served beyond the kinds that every client knows; mu is held.
func (s *Server) kinds() []served {
	all := slices.Clone(builtIn)
	for _, o := range s.objects {
		if status, _ := kube.Status(o, "Established"); o.GetKind() != "CustomResourceDefinition" || status != "True" {
			continue
		}
		text := func(path ...string) string { v, _, _ := unstructured.NestedString(o.Object, path...); return v }
		versions, _, _ := unstructured.NestedSlice(o.Object, "spec", "versions")
		for _, v := range versions {
			version, _ := v.(map[string]any)
			name, _ := version["name"].(string)
			all = append(all, served{text("spec", "group"), name, text("spec", "names", "kind"), text("spec", "names", "plural"), text("spec", "scope") == "Namespaced"})
		}
	}
	return all
}

// discovery is the aggregated form of it.
func (s *Server) discovery() map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	groups := map[string][]any{}
	for _, k := range s.kinds() {
		scope := "Cluster"
		if k.namespaced {
			scope = "Namespaced"
		}
		groups[k.group] = append(groups[k.group], map[string]any{"version": k.version, "resources": []any{map[string]any{
			"resource": k.resource, "responseKind": map[string]any{"kind": k.kind}, "scope": scope, "verbs": []string{"list"},
		}}})
	}
	items := []any{}
	for name, versions := range groups {
		items = append(items, map[string]any{"metadata": map[string]any{"name": name}, "versions": versions})
	}
	return map[string]any{"kind": "APIGroupDiscoveryList", "items": items}
}

// fixed are the groups whose kinds clients know without asking.
var fixed = []string{"apps", "batch", "networking.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "rbac.authorization.k8s.io", "storage.k8s.io", "apiextensions.k8s.io"}

// serves reports whether a path belongs to a kind that is there.
func (s *Server) serves(path string) bool {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if parts[0] != "apis" || len(parts) < 4 || slices.Contains(fixed, parts[1]) {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.kinds(), func(k served) bool {
		return k.group == parts[1] && k.version == parts[2] && slices.Contains(parts[3:], k.resource)
	})
}

// namespaceOf returns the namespace in whose collection a path is.
func namespaceOf(path string) string {
	_, after, _ := strings.Cut(path, "/namespaces/")
	ns, _, within := strings.Cut(after, "/")
	if !within {
		return ""
	}
	return ns
}

// hasNamespace reports whether a namespace is there; mu is held.
func (s *Server) hasNamespace(name string) bool {
	return slices.Contains(kube.OwnNamespaces, name) || s.objects["/api/v1/namespaces/"+name] != nil
}

// within reports whether what is at a path goes when the outer object goes.
func within(outer *unstructured.Unstructured, path string) bool {
	switch outer.GetKind() {
	case "Namespace":
		return namespaceOf(path) == outer.GetName()
	case "CustomResourceDefinition":
		plural, group, _ := strings.Cut(outer.GetName(), ".")
		return strings.HasPrefix(path, "/apis/"+group+"/") && strings.Contains(path, "/"+plural+"/")
	}
	return false
}
