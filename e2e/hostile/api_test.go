//go:build e2e

package hostile

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/labctl/labctl/internal/kube/kubetest"
)

// apiServer is the Kubernetes API server of one sandbox: TLS before a server that stores objects. A test may put
// its own answers before that.
type apiServer struct {
	address string
	objects *kubetest.Server
	// first, where set, answers a request and says that it did.
	first func(http.ResponseWriter, *http.Request) bool
	// rewrite, where set, changes what the honest server has answered.
	rewrite func(*http.Request, []byte) []byte
	// conn, where set, has the raw connection instead of any server; secure the one within TLS.
	conn, secure func(net.Conn)

	visits   atomic.Int64
	listener net.Listener
	tls      *tls.Config
}

// close leaves nobody listening.
func (s *apiServer) close() { _ = s.listener.Close() }

// certificate has it show another one.
func (s *apiServer) certificate(c tls.Certificate) { s.tls.Certificates = []tls.Certificate{c} }

// wireTLS has the connection within TLS.
func wireTLS(b behaviour, f func(net.Conn)) behaviour {
	b.prepare = func(_ *testing.T, s *stage) { s.api.secure = f }
	return b
}

// startAPI starts one that ends with the test. It listens on a port of its own.
func startAPI(t testing.TB, p *pki) *apiServer {
	t.Helper()
	s := &apiServer{objects: kubetest.New(t)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	target, err := url.Parse(s.objects.Config().Host)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.FlushInterval = -1 // watches
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	proxy.ModifyResponse = s.modify
	s.listener, s.tls = l, &tls.Config{Certificates: []tls.Certificate{p.server}}
	s.tls.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: s.tls.Certificates}, nil
	}
	raw := &taps{Listener: l, server: s, conns: map[net.Conn]bool{}}
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if s.first != nil && s.first(w, r) {
				return
			}
			proxy.ServeHTTP(w, r)
			if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/pods") {
				s.kubelet(t, r.URL.Path)
			}
		}),
		ErrorLog:  log.New(io.Discard, "", 0),
		TLSConfig: s.tls,
	}
	served := make(chan struct{})
	go func() { _ = server.ServeTLS(raw, "", ""); close(served) }()
	t.Cleanup(func() {
		_ = server.Close()
		raw.closeAll()
		<-served
	})
	return s
}

// modify hands what the honest server answers to rewrite; a watch goes through as it is.
func (s *apiServer) modify(r *http.Response) error {
	if s.rewrite == nil || r.Request.URL.Query().Get("watch") == "true" {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	body = s.rewrite(r.Request, body)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Length", fmt.Sprint(len(body)))
	return nil
}

// taps gives connections to the test's own server where it has one.
type taps struct {
	net.Listener
	server *apiServer
	mu     sync.Mutex
	conns  map[net.Conn]bool
}

func (l *taps) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		l.server.visits.Add(1)
		has, served := l.server.conn, c
		if l.server.secure != nil {
			has, served = l.server.secure, tls.Server(c, l.server.tls)
		}
		if has == nil {
			return c, nil
		}
		l.mu.Lock()
		l.conns[c] = true
		l.mu.Unlock()
		go has(served)
	}
}

func (l *taps) closeAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		_ = c.Close()
	}
}

// kubelet plays what a cluster does with a new pod: its image does not exist.
func (s *apiServer) kubelet(t testing.TB, path string) {
	pod := s.objects.Get("pods", "default", "imagepull")
	if pod == nil || path != "/api/v1/namespaces/default/pods" {
		return
	}
	for field, text := range map[string]string{"status": podStatus} {
		var value map[string]any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			t.Error(err)
		}
		pod.Object[field] = integers(value)
	}
	_ = unstructured.SetNestedField(pod.Object, node, "spec", "nodeName")
	s.objects.Put("pods", pod)
}

const podStatus = `
phase: Pending
conditions:
- {type: Ready, status: "False", lastTransitionTime: "2026-01-01T00:00:00Z"}
containerStatuses:
- name: nginx
  restartCount: 0
  ready: false
  lastState: {}
  state: {waiting: {reason: ErrImagePull, message: 'failed to pull and unpack image "docker.io/library/nginx:99999": docker.io/library/nginx:99999: not found'}}
`

// theCluster are the objects of a cluster that is well.
const theCluster = `
- resource: nodes
  object:
    apiVersion: v1
    kind: Node
    metadata: {name: hostile-control-plane, labels: {node-role.kubernetes.io/control-plane: ""}}
    status:
      conditions: [{type: Ready, status: "True", reason: KubeletReady, message: ready, lastHeartbeatTime: "2026-01-01T00:00:00Z", lastTransitionTime: "2026-01-01T00:00:00Z"}]
      nodeInfo: {kubeletVersion: v1.35.4, architecture: amd64, operatingSystem: linux}
      addresses: [{type: InternalIP, address: 172.18.0.2}]
- resource: deployments
  object:
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: coredns, namespace: kube-system}
    spec: {replicas: 1}
    status: {availableReplicas: 1, conditions: [{type: Available, status: "True"}]}
- resource: serviceaccounts
  object: {apiVersion: v1, kind: ServiceAccount, metadata: {name: default, namespace: default}}
- resource: namespaces
  object: {apiVersion: v1, kind: Namespace, metadata: {name: default}}
- resource: namespaces
  object: {apiVersion: v1, kind: Namespace, metadata: {name: kube-system, uid: the-cluster}}
- resource: leases
  object:
    apiVersion: coordination.k8s.io/v1
    kind: Lease
    metadata: {name: hostile-control-plane, namespace: kube-node-lease}
    spec: {holderIdentity: hostile-control-plane, renewTime: "2099-01-01T00:00:00.000000Z"}
`

// fill puts the cluster's objects there.
func (s *apiServer) fill(t testing.TB, objects string) {
	t.Helper()
	var all []struct {
		Resource string
		Object   map[string]any
	}
	if err := yaml.Unmarshal([]byte(objects), &all); err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		s.objects.Put(o.Resource, &unstructured.Unstructured{Object: integers(o.Object)})
	}
}

// integers makes whole numbers of YAML's floats, as a server's decoder does.
func integers(in map[string]any) map[string]any {
	raw, err := json.Marshal(in)
	if err != nil {
		return in
	}
	u := &unstructured.Unstructured{}
	if u.UnmarshalJSON(append([]byte(`{"kind":"x","apiVersion":"v1","wrapped":`), append(raw, '}')...)) != nil {
		return in
	}
	return u.Object["wrapped"].(map[string]any)
}

// keep returns what labctl has made on this server, to be put on another one.
func (s *apiServer) keep() []kept {
	var all []kept
	for resource, names := range map[string][][2]string{"pods": {{"default", "imagepull"}}, "configmaps": {{"kube-system", "labctl-" + labName}}} {
		for _, n := range names {
			if o := s.objects.Get(resource, n[0], n[1]); o != nil {
				all = append(all, kept{resource, o})
			}
		}
	}
	return all
}

type kept struct {
	resource string
	object   *unstructured.Unstructured
}

func (s *apiServer) put(all []kept) {
	for _, k := range all {
		s.objects.Put(k.resource, k.object.DeepCopy())
	}
}

// elsewhere is a server that nothing may be sent to; it counts who comes.
func elsewhere(t testing.TB) (at string, visited func() int) {
	var mu sync.Mutex
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		n++
	}))
	t.Cleanup(s.Close)
	return s.URL, func() int { mu.Lock(); defer mu.Unlock(); return n }
}
