package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"syscall"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
)

// AwayError says that the API server did not answer a request, in words for people: client-go's own
// errors are a method, an address with its query, and Go's names for what went wrong.
type AwayError struct {
	Server string // "127.0.0.1:33045"; empty when it is not known
	Err    error
}

func (e *AwayError) Error() string {
	if e.Server == "" {
		return "the API server does not answer: " + e.Why()
	}
	return fmt.Sprintf("the API server at %s does not answer: %s", e.Server, e.Why())
}

// Unwrap returns what client-go said.
func (e *AwayError) Unwrap() error { return e.Err }

// Why says in a few words what became of the request: "connection refused".
func (e *AwayError) Why() string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(e.Err, syscall.ECONNRESET), errors.Is(e.Err, io.EOF), errors.Is(e.Err, io.ErrUnexpectedEOF):
		return "it closed the connection"
	case errors.Is(e.Err, context.DeadlineExceeded), errors.As(e.Err, &timeout) && timeout.Timeout():
		return "no answer in time"
	}
	var request *url.Error
	if errors.As(e.Err, &request) {
		return request.Err.Error()
	}
	return e.Err.Error()
}

// away makes an AwayError of an error that says that no answer came; others, and a caller's having
// given up, it returns as they are.
func away(err error) error {
	var request *url.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &request):
		e := &AwayError{Err: err}
		if at, perr := url.Parse(request.URL); perr == nil {
			e.Server = at.Host
		}
		return e
	case errors.Is(err, context.DeadlineExceeded):
		return &AwayError{Err: err}
	}
	return err
}

// plain is the dynamic client's way to one resource, with errors for people.
type plain struct{ dynamic.ResourceInterface }

func (p plain) Get(ctx context.Context, name string, o metav1.GetOptions, sub ...string) (*unstructured.Unstructured, error) {
	obj, err := p.ResourceInterface.Get(ctx, name, o, sub...)
	return obj, away(err)
}

func (p plain) List(ctx context.Context, o metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	l, err := p.ResourceInterface.List(ctx, o)
	return l, away(err)
}

func (p plain) Watch(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	w, err := p.ResourceInterface.Watch(ctx, o)
	return w, away(err)
}

func (p plain) Create(ctx context.Context, obj *unstructured.Unstructured, o metav1.CreateOptions, sub ...string) (*unstructured.Unstructured, error) {
	made, err := p.ResourceInterface.Create(ctx, obj, o, sub...)
	return made, away(err)
}

func (p plain) Apply(ctx context.Context, name string, obj *unstructured.Unstructured, o metav1.ApplyOptions, sub ...string) (*unstructured.Unstructured, error) {
	made, err := p.ResourceInterface.Apply(ctx, name, obj, o, sub...)
	return made, away(err)
}

func (p plain) Patch(ctx context.Context, name string, t types.PatchType, data []byte, o metav1.PatchOptions, sub ...string) (*unstructured.Unstructured, error) {
	obj, err := p.ResourceInterface.Patch(ctx, name, t, data, o, sub...)
	return obj, away(err)
}

func (p plain) Delete(ctx context.Context, name string, o metav1.DeleteOptions, sub ...string) error {
	return away(p.ResourceInterface.Delete(ctx, name, o, sub...))
}
