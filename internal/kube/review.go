package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Review asks whether a subject may do something: see SubjectAccessReview in authorization.k8s.io/v1.
type Review struct {
	User   string
	Groups []string
	Verb   string
	// Resource is a plural name, "*" for all; Group is that of its API, empty where the client is to find it.
	Resource, Group, Subresource, Name string
	// Namespace is where, "" in all of the cluster. It is left out for what is in no namespace.
	Namespace string
}

// Allowed returns what the API server's authorizers decide, however roles are named and bound. A role that is bound and
// not there allows nothing. The error says why it cannot be told. Nothing is changed by asking.
func (c *Client) Allowed(ctx context.Context, r Review) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	group, namespaced := r.Group, true
	if r.Resource == "*" {
		if group == "" {
			group = "*"
		}
	} else {
		kind, err := c.KindOf(ctx, r.Resource, r.Group)
		if err != nil {
			return false, err
		}
		group, namespaced = kind.Resource.Group, kind.Namespaced
	}
	attributes := map[string]any{"verb": r.Verb, "resource": r.Resource, "group": group, "subresource": r.Subresource, "name": r.Name}
	if namespaced {
		attributes["namespace"] = r.Namespace
	}
	body, err := json.Marshal(map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
		"spec": map[string]any{"user": r.User, "groups": r.Groups, "resourceAttributes": attributes},
	})
	if err != nil {
		return false, err
	}
	raw, err := c.rest.Post().AbsPath(reviewPath).SetHeader("Content-Type", "application/json").Body(body).Do(ctx).Raw()
	if err != nil {
		return false, fmt.Errorf("asking what %s may do: %w", r.User, away(err))
	}
	var answer struct {
		Status struct {
			Allowed         bool
			EvaluationError string
		}
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return false, fmt.Errorf("asking what %s may do: %w", r.User, err)
	}
	if why := answer.Status.EvaluationError; why != "" && !answer.Status.Allowed && !(strings.HasPrefix(why, "RBAC:") && strings.Contains(why, "not found")) {
		return false, errors.New(why)
	}
	return answer.Status.Allowed, nil
}

const reviewPath = "/apis/authorization.k8s.io/v1/subjectaccessreviews"

// IsReview reports whether a request only asks, although it is a POST.
func IsReview(path string) bool { return strings.HasSuffix(path, reviewPath) }

// unlisted are groups with resources that cannot be listed. Elsewhere a name that no list has is misspelt, and to that an
// authorizer says no as to what is forbidden.
var unlisted = []string{"authentication.k8s.io", "authorization.k8s.io"}

// KindOf finds a kind by the plural name of its resource, and its group where that is given.
func (c *Client) KindOf(ctx context.Context, plural, group string) (Kind, error) {
	fits := func(kinds []Kind) (found []Kind) {
		for _, k := range kinds {
			if k.Resource.Resource == plural && (group == "" || k.Resource.Group == group) {
				found = append(found, k)
			}
		}
		return found
	}
	if found := fits(c.kinds.fixed); len(found) > 0 {
		return found[0], nil
	}
	kinds, err := c.Kinds(ctx)
	if err != nil {
		return Kind{}, err
	}
	if found := fits(kinds); len(found) > 0 {
		return found[0], nil
	}
	if slices.Contains(unlisted, group) { // what can be made and not listed, such as reviews
		return Kind{Resource: schema.GroupVersionResource{Group: group, Resource: plural}, Namespaced: true}, nil
	}
	return Kind{}, fmt.Errorf("the cluster has no resource %s", strings.TrimSuffix(plural+"."+group, "."))
}
