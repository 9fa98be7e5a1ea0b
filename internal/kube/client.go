// Package kube is labctl's way to a cluster's API server: apply, delete, get, list and watch, for
// objects of any kind. It knows nothing of scenarios. Waits are watches; the one exception is
// WaitAPI, since nothing can be watched before the API answers.
//
// It builds on client-go's dynamic client alone. The typed clientset and the discovery client
// would each link all of Kubernetes' types into the binary.
package kube

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// ErrNoCluster is wrapped by whoever hands out Clients to say that there is no cluster, as opposed
// to one that does not answer.
var ErrNoCluster = errors.New("there is no cluster")

// FieldManager is the name under which labctl's changes stand in an object's managedFields.
const FieldManager = "labctl"

// requestTimeout bounds every request that is not a watch. While etcd is away the API server keeps
// its port open and requests hang until their own deadline, so each needs one.
const requestTimeout = 10 * time.Second

// Client talks to one API server. It is safe for concurrent use.
type Client struct {
	dyn   dynamic.Interface
	rest  *rest.RESTClient // for paths that are no resources: /readyz, discovery
	clock *serverClock
	kinds *kindTable
}

// Options change how a Client is made; the zero value is the usual one.
type Options struct {
	// Dial makes all connections, for an API server that is reached through SSH.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// OnRequest is called before each request, which it must not change. It must be safe for concurrent use.
	OnRequest func(*http.Request)
	// Now is the local clock, against which the server's is measured; nil: time.Now.
	Now func() time.Time
}

// New returns a Client for cfg, which it copies. It makes no request.
func New(cfg *rest.Config, o Options) (*Client, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	clock := &serverClock{now: o.Now}
	cfg = rest.CopyConfig(cfg)
	// labctl watches instead of polling; a client-side limit would only delay the burst of a start.
	cfg.QPS, cfg.Burst = 1000, 1000
	cfg.UserAgent = "labctl"
	cfg.WarningHandler = rest.NoWarnings{}
	if o.Dial != nil {
		cfg.Dial = o.Dial
	}
	// A lab's API server is never behind the proxy that leads to the internet.
	cfg.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return &observer{next: limited{next}, clock: clock, hook: o.OnRequest}
	})
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("preparing the connection to %s: %w", cfg.Host, err)
	}
	client.CheckRedirect = stay
	dyn, err := dynamic.NewForConfigAndClient(cfg, client)
	if err != nil {
		return nil, fmt.Errorf("preparing the client for %s: %w", cfg.Host, err)
	}
	raw := dynamic.ConfigFor(cfg)
	raw.GroupVersion = nil
	raw.APIPath = "/"
	rc, err := rest.UnversionedRESTClientForConfigAndClient(raw, client)
	if err != nil {
		return nil, fmt.Errorf("preparing the client for %s: %w", cfg.Host, err)
	}
	return &Client{dyn: dyn, rest: rc, clock: clock, kinds: newKindTable()}, nil
}

// stay refuses to go where an API server sends: none has a reason to, and the requests carry an
// administrator's certificate and what a lab is made of.
func stay(to *http.Request, _ []*http.Request) error {
	return fmt.Errorf("it sends to another address, %q, which is not followed", to.URL.Redacted())
}

// ServerNow returns the API server's clock: the local one, corrected by the Date headers of the
// answers so far. Those have whole seconds, so it runs up to one second late, never early; before
// the first answer it is the local clock.
func (c *Client) ServerNow() time.Time { return c.clock.Now() }

// Get returns one object; apierrors.IsNotFound tells that it does not exist.
func (c *Client) Get(ctx context.Context, kind, namespace, name string) (*unstructured.Unstructured, error) {
	ri, _, err := c.resource(ctx, kind, namespace)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", Ref(kind, name), err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	obj, err := ri.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", Ref(kind, name), err)
	}
	return obj, nil
}

// List returns the objects that q asks for, in the server's order. The caller may change them.
func (c *Client) List(ctx context.Context, q Query) ([]*unstructured.Unstructured, error) {
	l, _, err := c.list(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", q, err)
	}
	return pointers(l), nil
}

// list also returns the interface through which the same can be watched.
func (c *Client) list(ctx context.Context, q Query) (*unstructured.UnstructuredList, dynamic.ResourceInterface, error) {
	ri, kind, err := c.resource(ctx, q.Kind, q.Namespace)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	l, err := ri.List(ctx, q.listOptions())
	if apierrors.IsNotFound(err) {
		// A list may be empty, but it is there as long as its kind is.
		c.kinds.forget(kind.Resource)
		err = &KindError{Kind: q.Kind}
	}
	return l, ri, err
}

func pointers(l *unstructured.UnstructuredList) []*unstructured.Unstructured {
	objs := make([]*unstructured.Unstructured, len(l.Items))
	for i := range l.Items {
		objs[i] = &l.Items[i]
	}
	return objs
}

// resource returns the dynamic interface for a kind in a namespace; "" means all namespaces. The
// namespace of a cluster-wide kind is ignored.
func (c *Client) resource(ctx context.Context, kind, namespace string) (dynamic.ResourceInterface, Kind, error) {
	k, err := c.lookup(ctx, kind)
	if err != nil {
		return nil, k, err
	}
	if !k.Namespaced || namespace == "" {
		return plain{c.dyn.Resource(k.Resource)}, k, nil
	}
	return plain{c.dyn.Resource(k.Resource).Namespace(namespace)}, k, nil
}
