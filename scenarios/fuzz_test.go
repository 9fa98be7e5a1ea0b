package scenarios

import (
	"encoding/json"
	"maps"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/kube"
)

// FuzzRecord: a record that anybody may have written over is read, or is told to be broken. Nothing that it says
// makes an answer that has no reason.
func FuzzRecord(f *testing.F) {
	for _, text := range []string{
		"", "{bad", "null", "7", "[]", "{}", `{"version":1}`, `{"version":99}`, `{"version":-1}`, `{"version":1e99}`, `{"version":"1"}`,
		`{"version":1,"begun":"2026-01-01T00:00:00Z","complete":true,"objects":{"Pod/imagepull":{"kind":"Pod","namespace":"default","name":"imagepull","uid":"x"}}}`,
		`{"version":1,"complete":true,"proven":"2026-01-01T00:00:00Z","objects":{"":{}}}`, `{"version":1,"begun":"9999-12-31T23:59:59Z","proven":"0001-01-01T00:00:00Z"}`,
		`{"version":1,"removing":true,"latches":[{},{"condition":"not-found"}]}`, `{"version":1,"latches":[null],"objects":null}`,
		`{"version":1,"objects":{"Deployment/coredns":{"kind":"Deployment.apps","namespace":"kube-system","name":"coredns"}}}`,
	} {
		f.Add(text, true)
		f.Add(text, false)
	}
	first := newStage(f, "bare-pod")
	f.Fuzz(func(t *testing.T, text string, there bool) {
		s := &stage{t: t, sc: first.sc, snapshot: maps.Clone(first.snapshot)}
		if there {
			s.put(barePod(t, "nginx:99999", "Pending", waiting("ErrImagePull", notFound), false))
		}
		s.put(&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{"bare-pod": text},
			"metadata": map[string]any{"name": recordName(lab), "namespace": recordNamespace, "labels": map[string]any{kube.LabelLab: lab}},
		}})
		a := s.assess()
		for _, r := range []Result{s.sc.checked(a), s.sc.verified(a)} {
			if r.Reason == "" {
				t.Errorf("%s, %s, and no reason", r.State, r.Verdict)
			}
		}
		if a.record != nil && !there && !json.Valid([]byte(text)) {
			t.Error("what is no JSON is taken for a record")
		}
	})
}
