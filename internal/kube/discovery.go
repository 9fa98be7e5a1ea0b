package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Kinds asks the server for all kinds that can be listed, each once, in the version that it prefers.
func (c *Client) Kinds(ctx context.Context) ([]Kind, error) {
	served, err := c.discover(ctx)
	seen := map[schema.GroupResource]bool{}
	return slices.DeleteFunc(served, func(k Kind) bool {
		twice := seen[k.Resource.GroupResource()]
		seen[k.Resource.GroupResource()] = true
		return twice
	}), err
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

// kinds returns the group's listable kinds in all their versions, the server's preferred first.
func (g discoveryGroup) kinds() []Kind {
	var kinds []Kind
	for _, v := range g.Versions {
		for _, r := range v.Resources {
			if slices.Contains(r.Verbs, "list") {
				kinds = append(kinds, Kind{
					Name:       r.ResponseKind.Kind,
					Resource:   schema.GroupVersionResource{Group: g.Metadata.Name, Version: v.Version, Resource: r.Resource},
					Namespaced: r.Scope == "Namespaced",
				})
			}
		}
	}
	return kinds
}
