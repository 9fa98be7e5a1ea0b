package kube_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/labctl/labctl/internal/kube"
)

// A server that is not there, and one that takes the call and says nothing.
func TestNoAnswerIsToldInWords(t *testing.T) {
	listener := func(serve func(net.Conn)) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				serve(c)
			}
		}()
		return l.Addr().String()
	}
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for address, why := range map[string]string{
		gone.Addr().String():                 "connection refused",
		listener(func(c net.Conn) { _ = c }): "no answer in time",
	} {
		c, err := kube.New(&rest.Config{Host: "http://" + address}, kube.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx := within(t, 500*time.Millisecond)
		q := kube.Query{Kind: "Pod", Namespace: "default", Name: "a"}
		errs := map[string]error{"ready": c.Ready(ctx)}
		_, errs["get"] = c.Get(ctx, q.Kind, q.Namespace, q.Name)
		_, errs["list"] = c.List(ctx, q)
		_, errs["kinds"] = c.Kinds(ctx)
		_, _, errs["create"] = c.Create(ctx, pod("a", nil), marks)
		_, errs["merge"] = c.Merge(ctx, q.Kind, q.Namespace, q.Name, map[string]any{})
		for what, err := range errs {
			var away *kube.AwayError
			if !errors.As(err, &away) || !kube.Unreachable(err) {
				t.Errorf("%s, %s: %v does not say that the server is away", why, what, err)
				continue
			}
			// Once the time is up no request is made any more, and nothing is known of the server.
			if away.Why() != why && away.Why() != "no answer in time" || strings.Contains(err.Error(), "http") || strings.Contains(err.Error(), "EOF") {
				t.Errorf("%s, %s: %v", why, what, err)
			}
		}
		var away *kube.AwayError
		if errors.As(errs["ready"], &away); away.Why() != why || away.Server != address {
			t.Errorf("%s: %v, at %s", why, errs["ready"], address)
		}
	}
	if why := (&kube.AwayError{Err: &url.Error{Op: "Get", URL: "https://x", Err: io.ErrUnexpectedEOF}}).Why(); why != "it closed the connection" {
		t.Errorf("a server that hangs up: %s", why)
	}
	c, err := kube.New(&rest.Config{Host: "http://" + gone.Addr().String()}, kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.List(ctx, kube.Query{Kind: "Pod"}); !errors.Is(err, context.Canceled) || errors.As(err, new(*kube.AwayError)) {
		t.Errorf("the caller has given up: %v", err)
	}
}
