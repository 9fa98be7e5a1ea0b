// Package kubetest is an API server for tests, over real HTTP: it stores objects of any kind, lists
// and watches them, serves the kinds of CustomResourceDefinitions, and can be told to fail as real servers do.
// It has no controllers and no kubelet: a test plays those by Put, and says by Put that a definition is established.
// A namespace and a definition take their objects with them.
package kubetest

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/labctl/labctl/internal/kube"
)

// Server is a running one. Its methods may be called from any goroutine.
type Server struct {
	http *httptest.Server
	// Ahead is how far its clock, as its answers' Date tells, is ahead of the machine's. Set it
	// before the first request.
	Ahead time.Duration

	mu      sync.Mutex
	objects map[string]*unstructured.Unstructured // "/api/v1/namespaces/default/pods/x"
	logs    map[string]string                     // by the path of their request
	// Review, where set, answers reviews of access; it is set before the first.
	Review func(spec map[string]any) (allowed bool, trouble string)
	// Admit, where set, refuses what shall be made with a status that is not 0; it is set before the first.
	Admit   func(r *http.Request, obj *unstructured.Unstructured) (status int, message string)
	version int
	changes []change
	grown   chan struct{} // closed and replaced with each change
	expired int           // watches from before this version get 410 Gone
	cut     chan struct{} // closed and replaced to end all watches
	fail    func(*http.Request) (status int, message string)
	calls   []string
}

type change struct {
	version int
	kind    string
	path    string
	object  *unstructured.Unstructured
}

// New starts a server that ends with the test.
func New(t testing.TB) *Server { return start(t, httptest.NewServer) }

// NewTLS is New for a server that speaks TLS, as those behind a lab's kubeconfig do.
func NewTLS(t testing.TB) *Server { return start(t, httptest.NewTLSServer) }

// Kubeconfig is the administrator's for a server that speaks TLS, with everything in it called name.
func (s *Server) Kubeconfig(t testing.TB, name string) []byte {
	t.Helper()
	admin := NewAdmin(t)
	access := kube.Access{Server: s.http.URL}
	var err error
	access.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.http.Certificate().Raw})
	if access.Certificate, err = base64.StdEncoding.DecodeString(admin.Certificate); err == nil {
		access.Key, err = base64.StdEncoding.DecodeString(admin.Key)
	}
	if err != nil {
		t.Fatal(err)
	}
	raw, err := access.Kubeconfig(name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func start(t testing.TB, serve func(http.Handler) *httptest.Server) *Server {
	s := &Server{objects: map[string]*unstructured.Unstructured{}, version: 1, grown: make(chan struct{}), cut: make(chan struct{})}
	s.http = serve(http.HandlerFunc(s.serve))
	t.Cleanup(func() {
		s.CutWatches()
		s.http.CloseClientConnections()
		s.http.Close()
	})
	return s
}

// Config is how to reach the server.
func (s *Server) Config() *rest.Config { return &rest.Config{Host: s.http.URL} }

// Fail makes requests fail for which f returns a status; nil ends that.
func (s *Server) Fail(f func(*http.Request) (status int, message string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = f
}

// Calls returns the requests so far that were no reads: "POST /api/v1/namespaces/default/pods".
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// CutWatches closes all watches, as servers do now and then.
func (s *Server) CutWatches() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.cut)
	s.cut = make(chan struct{})
}

// Expire makes the server forget its changes so far: a watch from before gets 410 Gone.
func (s *Server) Expire() {
	s.mu.Lock()
	s.version++
	s.expired, s.changes = s.version, nil
	s.mu.Unlock()
	s.CutWatches()
}

// Put stores an object at its resource ("pods"), and gives it a UID if it has none.
func (s *Server) Put(resource string, obj *unstructured.Unstructured) *unstructured.Unstructured {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store(pathOf(resource, obj), obj)
}

// All returns the objects of a resource in all namespaces, sorted by their paths.
func (s *Server) All(resource string) (all []*unstructured.Unstructured) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, path := range slices.Sorted(maps.Keys(s.objects)) {
		if parts := strings.Split(path, "/"); parts[len(parts)-2] == resource {
			all = append(all, s.objects[path].DeepCopy())
		}
	}
	return all
}

// Logs sets what the containers of a pod have logged.
func (s *Server) Logs(namespace, pod, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.logs == nil {
		s.logs = map[string]string{}
	}
	s.logs["/api/v1/namespaces/"+namespace+"/pods/"+pod+"/log"] = text
}

// Remove deletes an object at once.
func (s *Server) Remove(resource string, obj *unstructured.Unstructured) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(pathOf(resource, obj))
}

// Get returns the object of that path's name, or nil.
func (s *Server) Get(resource, namespace, name string) *unstructured.Unstructured {
	s.mu.Lock()
	defer s.mu.Unlock()
	for path, o := range s.objects {
		if strings.HasSuffix(path, "/"+resource+"/"+name) && o.GetNamespace() == namespace {
			return o.DeepCopy()
		}
	}
	return nil
}

func pathOf(resource string, obj *unstructured.Unstructured) string {
	prefix := "/apis/" + obj.GetAPIVersion()
	if obj.GetAPIVersion() == "v1" {
		prefix = "/api/v1"
	}
	if ns := obj.GetNamespace(); ns != "" {
		prefix += "/namespaces/" + ns
	}
	return prefix + "/" + resource + "/" + obj.GetName()
}

// store writes an object; the caller holds mu.
func (s *Server) store(path string, obj *unstructured.Unstructured) *unstructured.Unstructured {
	obj = obj.DeepCopy()
	kind := "ADDED"
	s.version++
	if old, is := s.objects[path]; is {
		kind = "MODIFIED"
		if obj.GetUID() == "" {
			obj.SetUID(old.GetUID())
		}
	}
	if obj.GetUID() == "" {
		obj.SetUID(types.UID(fmt.Sprintf("uid-%d", s.version)))
	}
	if _, found, _ := unstructured.NestedString(obj.Object, "metadata", "creationTimestamp"); !found {
		_ = unstructured.SetNestedField(obj.Object, time.Now().Add(s.Ahead).UTC().Format(time.RFC3339), "metadata", "creationTimestamp")
	}
	obj.SetResourceVersion(fmt.Sprint(s.version))
	s.objects[path] = obj
	s.tell(kind, path, obj)
	return obj.DeepCopy()
}

func (s *Server) drop(path string) {
	obj, is := s.objects[path]
	if !is {
		return
	}
	for inner := range s.objects {
		if within(obj, inner) {
			s.drop(inner)
		}
	}
	if obj.GetKind() == "CustomResourceDefinition" { // its kind is gone with it
		close(s.cut)
		s.cut = make(chan struct{})
	}
	delete(s.objects, path)
	s.version++
	obj = obj.DeepCopy()
	obj.SetResourceVersion(fmt.Sprint(s.version))
	s.tell("DELETED", path, obj)
}

func (s *Server) tell(kind, path string, obj *unstructured.Unstructured) {
	s.changes = append(s.changes, change{s.version, kind, path, obj})
	close(s.grown)
	s.grown = make(chan struct{})
}

// find returns the objects of a collection that the query selects, sorted by path; mu is held.
func (s *Server) find(r *http.Request) []any {
	items := []any{}
	for _, path := range slices.Sorted(maps.Keys(s.objects)) {
		if selects(r, path, s.objects[path]) {
			items = append(items, s.objects[path].DeepCopy().Object)
		}
	}
	return items
}

// selects reports whether an object belongs to the collection of a request and is asked for.
func selects(r *http.Request, path string, obj *unstructured.Unstructured) bool {
	collection := path[:strings.LastIndex(path, "/")]
	if collection != r.URL.Path && withoutNamespace(collection) != r.URL.Path {
		return false
	}
	q := r.URL.Query()
	if name, is := strings.CutPrefix(q.Get("fieldSelector"), "metadata.name="); is && name != obj.GetName() {
		return false
	}
	selector, err := labels.Parse(q.Get("labelSelector"))
	return err == nil && selector.Matches(labels.Set(obj.GetLabels()))
}

// withoutNamespace makes /api/v1/pods of /api/v1/namespaces/x/pods.
func withoutNamespace(collection string) string {
	before, after, found := strings.Cut(collection, "/namespaces/")
	if !found {
		return collection
	}
	_, resource, _ := strings.Cut(after, "/")
	return before + "/" + resource
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}

func refuse(w http.ResponseWriter, status int, message string) {
	reasons := map[int]string{
		403: "Forbidden", 404: "NotFound", 409: "Conflict", 410: "Expired", 422: "Invalid", 500: "InternalError", 503: "ServiceUnavailable",
	}
	reason := reasons[status]
	if strings.Contains(message, "already exists") {
		reason = "AlreadyExists"
	}
	answer(w, status, map[string]any{
		"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status, "reason": reason, "message": message,
	})
}
