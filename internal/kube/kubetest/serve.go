package kubetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/labctl/labctl/internal/kube"
)

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", time.Now().Add(s.Ahead).UTC().Format(http.TimeFormat))
	s.mu.Lock()
	fail := s.fail
	if r.Method != http.MethodGet {
		s.calls = append(s.calls, r.Method+" "+r.URL.Path)
	}
	s.mu.Unlock()
	if fail != nil {
		if status, message := fail(r); status != 0 {
			refuse(w, status, message)
			return
		}
	}
	switch {
	case r.URL.Path == "/readyz":
		fmt.Fprint(w, "ok")
	case r.URL.Path == "/api":
		answer(w, 200, map[string]any{"kind": "APIGroupDiscoveryList", "items": []any{}})
	case r.URL.Path == "/apis":
		answer(w, 200, s.discovery())
	case kube.IsReview(r.URL.Path):
		var review struct{ Spec map[string]any }
		if err := json.Unmarshal(readAll(r), &review); err != nil || s.Review == nil {
			refuse(w, 400, "no review")
			return
		}
		allowed, trouble := s.Review(review.Spec)
		answer(w, 201, map[string]any{"status": map[string]any{"allowed": allowed, "evaluationError": trouble}})
	case !s.serves(r.URL.Path):
		refuse(w, 404, "the server could not find the requested resource")
	case r.Method == http.MethodGet && r.URL.Query().Get("watch") == "true":
		s.watch(w, r)
	default:
		s.once(w, r)
	}
}

// once answers every request but a watch.
func (s *Server) once(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, is := s.objects[r.URL.Path]
	switch r.Method {
	case http.MethodGet:
		if text, is := s.logs[r.URL.Path]; is {
			fmt.Fprint(w, text)
			return
		}
		if is {
			answer(w, 200, old.Object)
			return
		}
		if last := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]; !strings.HasSuffix(last, "s") {
			refuse(w, 404, fmt.Sprintf("%q not found", last))
			return
		}
		answer(w, 200, map[string]any{
			"kind": "List", "apiVersion": "v1", "metadata": map[string]any{"resourceVersion": fmt.Sprint(s.version)}, "items": s.find(r),
		})
	case http.MethodPost:
		obj := &unstructured.Unstructured{}
		if err := json.NewDecoder(r.Body).Decode(&obj.Object); err != nil {
			refuse(w, 400, err.Error())
			return
		}
		if ns := namespaceOf(r.URL.Path); ns != "" && !s.hasNamespace(ns) {
			refuse(w, 404, fmt.Sprintf("namespaces %q not found", ns))
			return
		}
		if s.Admit != nil {
			if status, message := s.Admit(r, obj); status != 0 {
				refuse(w, status, message)
				return
			}
		}
		path := r.URL.Path + "/" + obj.GetName()
		if _, taken := s.objects[path]; taken {
			refuse(w, 409, fmt.Sprintf("%q already exists", obj.GetName()))
			return
		}
		if r.URL.Query().Get("dryRun") == "All" {
			answer(w, 201, obj.Object)
			return
		}
		answer(w, 201, s.store(path, obj).Object)
	case http.MethodPut:
		obj := &unstructured.Unstructured{}
		switch err := json.NewDecoder(r.Body).Decode(&obj.Object); {
		case err != nil:
			refuse(w, 400, err.Error())
		case old == nil:
			refuse(w, 404, "not found")
		case obj.GetResourceVersion() != old.GetResourceVersion():
			refuse(w, 409, "somebody else has changed it")
		default:
			obj.SetUID(old.GetUID())
			obj.SetCreationTimestamp(old.GetCreationTimestamp())
			answer(w, 200, s.store(r.URL.Path, obj).Object)
		}
	case http.MethodPatch:
		s.patch(w, r, old)
	case http.MethodDelete:
		s.remove(w, r, old)
	}
}

// patch takes merge patches, and server-side apply as one, which it is where no list is merged.
func (s *Server) patch(w http.ResponseWriter, r *http.Request, old *unstructured.Unstructured) {
	if old == nil {
		refuse(w, 404, "not found")
		return
	}
	var body map[string]any
	if err := yaml.Unmarshal(readAll(r), &body); err != nil {
		refuse(w, 400, "no patch")
		return
	}
	patch, _ := json.Marshal(body)
	before, _ := json.Marshal(old.Object)
	after, err := jsonpatch.MergePatch(before, patch)
	if err != nil {
		refuse(w, 400, err.Error())
		return
	}
	obj := &unstructured.Unstructured{}
	if err := json.Unmarshal(after, &obj.Object); err != nil {
		refuse(w, 400, err.Error())
		return
	}
	if obj.GetUID() != old.GetUID() || obj.GetResourceVersion() != old.GetResourceVersion() {
		refuse(w, 409, "the uid or the version differs")
		return
	}
	answer(w, 200, s.store(r.URL.Path, obj).Object)
}

func (s *Server) remove(w http.ResponseWriter, r *http.Request, old *unstructured.Unstructured) {
	var opts struct {
		Preconditions struct{ UID, ResourceVersion string }
	}
	_ = json.Unmarshal(readAll(r), &opts) // no body: no preconditions
	switch {
	case old == nil:
		refuse(w, 404, "not found")
	case opts.Preconditions.UID != "" && opts.Preconditions.UID != string(old.GetUID()),
		opts.Preconditions.ResourceVersion != "" && opts.Preconditions.ResourceVersion != old.GetResourceVersion():
		refuse(w, 409, "the precondition fails")
	default:
		s.drop(r.URL.Path)
		answer(w, 200, old.Object)
	}
}

// watch streams changes until the client goes or the server cuts it.
func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	from, _ := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	out := json.NewEncoder(w)
	s.mu.Lock()
	expired := from < s.expired
	cut := s.cut
	s.mu.Unlock()
	if expired {
		_ = out.Encode(map[string]any{"type": "ERROR", "object": map[string]any{
			"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old resource version",
		}})
		return
	}
	for {
		s.mu.Lock()
		grown := s.grown
		var news []change
		for _, c := range s.changes {
			if c.version > from && selects(r, c.path, c.object) {
				news = append(news, c)
			}
		}
		from = max(from, s.version)
		s.mu.Unlock()
		for _, c := range news {
			_ = out.Encode(map[string]any{"type": c.kind, "object": c.object.Object})
		}
		w.(http.Flusher).Flush()
		select {
		case <-grown:
		case <-cut:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func readAll(r *http.Request) []byte {
	body, _ := io.ReadAll(r.Body) // what a client that went away did not send is not needed
	return body
}
