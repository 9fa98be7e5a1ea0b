package scenarios

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

// attempt is the evidence of what the API server lets in: an object for each that it is offered, with admitted, wanted, what
// a refusal says in message, and says, which words it.
type attempt labfile.Attempt

func (a attempt) query() kube.Query {
	var lines []string
	for _, object := range slices.Concat(a.Refused, a.Admitted) {
		offered := &unstructured.Unstructured{Object: object}
		lines = append(lines, offered.GetNamespace()+" "+refOf(offered))
	}
	return kube.Query{Kind: "Attempt", Name: a.As, Selector: strings.Join(append(lines, a.Because), ", ")}
}

// String is what there is none of where read finds nothing.
func (a attempt) String() string { return "namespace to be let into" }

// read offers each object, and finds nothing where a namespace is not there.
func (a attempt) read(ctx context.Context, c *kube.Client) ([]*unstructured.Unstructured, error) {
	offers := slices.Concat(a.Refused, a.Admitted)
	objs, err := atOnce(len(offers), func(i int) (*unstructured.Unstructured, error) {
		object := &unstructured.Unstructured{Object: offers[i]}
		admitted, refusal, err := c.Admitted(ctx, kube.Offer{Object: object, User: a.As, Groups: a.Groups})
		says := "it is let in"
		if !admitted {
			says = "it is refused: " + refusal
		}
		name := refOf(object)
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Attempt", "metadata": map[string]any{"name": name},
			"admitted": admitted, "wanted": i >= len(a.Refused), "message": refusal, "because": a.Because, "says": name + ": " + says,
		}}, err
	})
	if kube.MissingNamespace(err) != "" {
		return nil, nil
	}
	return objs, err
}

// requestsAtOnce bounds how many requests one source of evidence has under way.
const requestsAtOnce = 8

// atOnce calls a request for each of n objects, several at a time, and returns what they return, or one of the errors.
func atOnce(n int, request func(i int) (*unstructured.Unstructured, error)) ([]*unstructured.Unstructured, error) {
	objs := make([]*unstructured.Unstructured, n)
	var all errgroup.Group
	all.SetLimit(requestsAtOnce)
	for i := range n {
		all.Go(func() (err error) {
			objs[i], err = request(i)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	return objs, nil
}
