package kube_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/labctl/labctl/internal/kube"
)

// TestNoProxyIsAskedForTheAPIServer: that which leads to the internet does not lead to a lab.
func TestNoProxyIsAskedForTheAPIServer(t *testing.T) {
	proxy, err := url.Parse("http://proxy.corp:3128")
	if err != nil {
		t.Fatal(err)
	}
	var dialled string
	client, err := kube.New(&rest.Config{Host: "https://192.0.2.1:6443", Proxy: http.ProxyURL(proxy)}, kube.Options{
		Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			dialled = address
			return nil, errors.New("far enough")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = client.Get(t.Context(), "Pod", "default", "x")
	if dialled != "192.0.2.1:6443" {
		t.Errorf("dialled %q", dialled)
	}
}
