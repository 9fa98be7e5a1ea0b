package scenarios

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

// access is the evidence of what a subject may do: an object for each permission that is asked about, with allowed,
// wanted, and says, which words the two.
type access labfile.Access

func (a access) query() kube.Query {
	var lines []string
	for _, p := range append(a.May, a.MayNot...) {
		lines = append(lines, p.Text)
	}
	return kube.Query{Kind: "Access", Name: a.As, Selector: strings.Join(append(lines, a.Groups...), ", ")}
}

// String is what there is none of where read finds nothing.
func (a access) String() string {
	if namespace, name, is := a.account(); is {
		return kube.Ref("ServiceAccount", name) + " in namespace " + namespace
	}
	return a.As
}

// account is the service account that the subject is.
func (a access) account() (namespace, name string, is bool) {
	account, is := strings.CutPrefix(a.As, "system:serviceaccount:")
	namespace, name, whole := strings.Cut(account, ":")
	return namespace, name, is && whole
}

// read asks about each permission. Authorizers go by names, so that a right can be bound to a service account that does not
// exist; that it does is asked as well.
func (a access) read(ctx context.Context, c *kube.Client) ([]*unstructured.Unstructured, error) {
	if namespace, name, is := a.account(); is {
		_, err := c.Get(ctx, "ServiceAccount", namespace, name)
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
	asked := append(slices.Clone(a.May), a.MayNot...)
	return atOnce(len(asked), func(i int) (*unstructured.Unstructured, error) {
		p := asked[i]
		allowed, err := c.Allowed(ctx, kube.Review{
			User: a.As, Groups: a.Groups, Verb: p.Verb, Resource: p.Resource, Group: p.Group, Subresource: p.Subresource,
			Name: p.Object, Namespace: p.Namespace,
		})
		verb := "may not"
		if allowed {
			verb = "may"
		}
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Access", "metadata": map[string]any{"name": p.Text},
			"allowed": allowed, "wanted": i < len(a.May), "says": fmt.Sprintf("%s %s %s", a.As, verb, p.Text),
		}}, err
	})
}
