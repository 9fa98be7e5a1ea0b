//go:build e2e

package hostile

import (
	"encoding/json"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/state"
)

// template is a lab that is up, made by labctl itself on well-behaved far sides, to be copied for each run.
type template struct {
	sandbox *sandbox
	pki     *pki
	api     string // address
	objects []kept

	dir string // for the copies
	n   atomic.Int64
}

// next numbers the copies.
func (tp *template) next() int64 { return tp.n.Add(1) }

// patience is how long the well-behaved may take.
const patience = time.Minute

func newTemplate(t *testing.T) *template {
	t.Helper()
	p, err := newPKI()
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSandbox(t.TempDir(), built)
	if err != nil {
		t.Fatal(err)
	}
	api := startAPI(t, p)
	api.fill(t, theCluster)
	s.cluster(t, api, p)
	r := s.labctl(t, patience, "up", "hostile.hcl")
	if r.code != 0 {
		t.Fatalf("making the lab on well-behaved far sides: %s", r)
	}
	t.Logf("made with %d MB in %s", r.memory>>20, r.took)
	return &template{sandbox: s, pki: p, api: api.address, objects: api.keep(), dir: t.TempDir()}
}

// cluster writes a cluster as kind leaves it: on the engine, and in what labctl remembers.
func (s *sandbox) cluster(t testing.TB, api *apiServer, p *pki) {
	t.Helper()
	labels := map[string]string{
		"io.x-k8s.kind.cluster": labName, "io.x-k8s.kind.role": "control-plane",
		"labctl.lab": labName, "labctl.owner": owner, "labctl.cluster": labName,
	}
	nodeImage := "sha256:" + id("a")
	engine := map[string]any{
		"containers": []map[string]any{{
			"ID": id("c0"), "Name": node, "Image": "labctl/node:v1.35.4", "ImageID": nodeImage, "State": "running", "Started": "2026-01-01T00:00:00Z",
			"Labels": labels, "Ports": map[string]string{"6443/tcp": api.address}, "Mounts": []string{},
		}},
		"volumes": []any{},
		"images": []map[string]any{
			{"ID": nodeImage, "Names": []string{"labctl/node:v1.35.4"}, "Labels": map[string]string{"labctl.kubernetes": version}},
			{"ID": "sha256:" + id("b"), "Names": []string{"nginx:1.25"}, "Labels": map[string]string{"labctl.standin": "true"}},
			{"ID": "sha256:" + id("d"), "Names": []string{"registry:2"}, "Labels": map[string]string{}},
		},
		"files": map[string]string{
			node + ":/etc/kubernetes/admin.conf": p.kubeconfig("https://"+node+":6443", ""),
			node + ":/usr/bin/kubectl":           s.bait(),
			node + ":/kind/version":              "v" + version,
		},
	}
	raw, err := json.Marshal(engine)
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "engine/engine.json", string(raw))
	file := s.path("lab", "hostile.hcl")
	lab := state.Home{Dir: s.path("state")}.Lab(labName)
	err = lab.Save(&state.State{
		Lab: labName, Owner: owner, File: file, FileName: "hostile.hcl", FileBytes: labFile,
		Cluster: state.ClusterState{Name: labName, Image: "labctl/node:v1.35.4", ImageID: nodeImage, Kubernetes: version, Created: true, Addresses: map[string]string{node: "172.18.0.2"}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// id is a container's or an image's.
func id(begin string) string {
	for len(begin) < 64 {
		begin += "0"
	}
	return begin
}

// stage is a sandbox with the lab, and an API server for it.
func (tp *template) stage(tb testing.TB) *stage {
	tb.Helper()
	s, err := newSandbox(filepath.Join(tb.TempDir(), "box"), built)
	if err != nil {
		tb.Fatal(err)
	}
	api := startAPI(tb, tp.pki)
	api.fill(tb, theCluster)
	api.put(tp.objects)
	if err := s.copyLab(tp.sandbox, tp.api, api.address); err != nil {
		tb.Fatal(err)
	}
	return &stage{sandbox: s, tb: tb, api: api, pki: tp.pki}
}
