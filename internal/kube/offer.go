package kube

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Offer is an object that the API server is asked about: would it let it in?
type Offer struct {
	Object *unstructured.Unstructured // in the namespace default unless it says another
	// User tries, who is in Groups; empty for whom the client is.
	User   string
	Groups []string
}

// Admitted asks by a dry run, in which authorization, admission and validation take place and nothing is kept (see
// "Dry-run" in the Kubernetes API concepts). An object that is there already has passed them. refusal is what it says to one that it
// does not let in.
// The error says why it cannot be told; MissingNamespace of it is the namespace that is not there.
func (c *Client) Admitted(ctx context.Context, o Offer) (admitted bool, refusal string, err error) {
	ref := Ref(o.Object.GetKind(), o.Object.GetName())
	kind, err := c.lookup(ctx, QualifiedKind(o.Object))
	if err != nil {
		return false, "", fmt.Errorf("offering %s: %v", ref, err) //nolint:errorlint // to whom there is nothing of a kind, that refuses nothing
	}
	obj := o.Object.DeepCopy()
	switch {
	case !kind.Namespaced:
		obj.SetNamespace("")
	case obj.GetNamespace() == "":
		obj.SetNamespace(metav1.NamespaceDefault)
	}
	body, err := obj.MarshalJSON()
	if err != nil {
		return false, "", fmt.Errorf("offering %s: %w", ref, err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request := c.rest.Post().AbsPath(kind.path(obj.GetNamespace())).SetHeader("Content-Type", "application/json").
		Param("dryRun", metav1.DryRunAll).Param("fieldManager", FieldManager).Body(body)
	if o.User != "" {
		request.SetHeader("Impersonate-User", o.User).SetHeader("Impersonate-Group", o.Groups...)
	}
	err = away(request.Do(ctx).Error())
	switch said := message(err); {
	case err == nil, apierrors.IsAlreadyExists(err):
		return true, "", nil
	case Denied(err), apierrors.IsInvalid(err), o.User != "" && apierrors.IsForbidden(err) && strings.Contains(said, fmt.Sprintf("User %q cannot create ", o.User)):
		return false, said, nil
	}
	return false, "", fmt.Errorf("offering %s: %w", ref, err)
}

// path is where objects of this kind are made.
func (k Kind) path(namespace string) string {
	at := []string{"/apis", k.Resource.Group, k.Resource.Version}
	if k.Resource.Group == "" {
		at = []string{"/api", k.Resource.Version}
	}
	if k.Namespaced {
		at = append(at, "namespaces", namespace)
	}
	return strings.Join(append(at, k.Resource.Resource), "/")
}

// Changes reports whether a request can change the cluster: neither a read, nor a dry run, nor a review, which is a POST.
func Changes(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return false
	}
	return !IsReview(r.URL.Path) && r.URL.Query().Get("dryRun") != metav1.DryRunAll
}
