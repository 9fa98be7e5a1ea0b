//go:build e2e

package hostile

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/ssh"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision/ec2"
)

// template is a lab that is up, made by labctl itself on well-behaved far sides, to be copied for each run.
type template struct {
	first   *stage
	pki     *pki
	objects []kept

	// Of a lab on a host: the host's key, and the tags of what is on AWS. Nil for this machine.
	signer xssh.Signer
	tags   map[string]string

	dir string // for the copies
	n   atomic.Int64
}

// next numbers the copies.
func (tp *template) next() int64 { return tp.n.Add(1) }

// patience is how long the well-behaved may take.
const patience = time.Minute

// expires is when the host ends itself.
var expires = time.Now().Add(4 * time.Hour).UTC().Truncate(time.Second)

func newTemplate(t *testing.T, onHost bool) *template {
	t.Helper()
	p, err := newPKI()
	if err != nil {
		t.Fatal(err)
	}
	tp := &template{pki: p, dir: t.TempDir()}
	s, err := newSandbox(t.TempDir(), built)
	if err != nil {
		t.Fatal(err)
	}
	api := startAPI(t, p)
	api.fill(t, theCluster)
	tp.first = &stage{sandbox: s, tb: t, api: api, pki: p}
	hostState := json.RawMessage(nil)
	if onHost {
		hostState = tp.rent(t)
	}
	s.cluster(t, api, p, hostState)
	r := s.labctl(t, patience, "up", "hostile.hcl")
	if r.code != 0 {
		t.Fatalf("making the lab on well-behaved far sides: %s", r)
	}
	tp.objects = api.keep()
	return tp
}

// rent gives the first stage a host, and returns what labctl remembers of it.
func (tp *template) rent(t *testing.T) json.RawMessage {
	t.Helper()
	s := tp.first
	private, public, err := ssh.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	lab := state.Home{Dir: s.path("state")}.Lab(labName)
	for name, text := range map[string][]byte{"id_ed25519": private, "id_ed25519.pub": []byte(public + "\n")} {
		if err := lab.WriteFile(name, text); err != nil {
			t.Fatal(err)
		}
	}
	print, err := ssh.Fingerprint(public)
	if err != nil {
		t.Fatal(err)
	}
	if tp.signer, err = hostKey(); err != nil {
		t.Fatal(err)
	}
	stamp := func(at time.Time) string { return at.UTC().Format(time.RFC3339) }
	tp.tags = map[string]string{
		ec2.TagLab: labName, ec2.TagHost: "bench", ec2.TagOwner: owner, ec2.TagExpires: stamp(expires), ec2.TagMade: stamp(expires.Add(-4 * time.Hour)),
		ec2.TagSpec: "image=debian-12 disk=30", ec2.TagImage: "ami-0deb12000000000a1", ec2.TagKey: print, ec2.TagGroup: groupID,
		"name": ec2.GroupName(labName, "bench", owner),
	}
	tp.equip(t, s)
	raw, err := json.Marshal(ec2.HostState{
		Name: "bench", Region: region, Account: account, GroupID: groupID, InstanceID: instanceID, Type: "t3.large", Zone: region + "a", Image: "ami-0deb12000000000a1",
		Address: s.host.address, Private: s.host.address, HostKey: s.host.key, Spec: "image=debian-12 disk=30", Disk: 30,
		Made: expires.Add(-4 * time.Hour), Launched: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Expires: expires, Ready: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// equip starts a stage's host and AWS, and has the sandbox use them.
func (tp *template) equip(t testing.TB, s *stage) {
	t.Helper()
	s.host = startSSH(t, s.sandbox, tp.signer)
	s.hostPrograms(t, strconv.FormatInt(expires.Unix(), 10))
	s.cloud = startCloud(t, maps.Clone(tp.tags), s.host.address)
	s.env = append(s.env, "AWS_ENDPOINT_URL="+s.cloud.url, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_REGION="+region, "LABCTL_SSH_FROM="+from)
	onHost := strings.NewReplacer(`kubernetes = "1.35"`, "host       = host.ec2.bench\n  kubernetes = \"1.35\"")
	for _, name := range []string{"hostile", "fresh"} {
		s.write(t, "lab/"+name+".hcl", `host "ec2" "bench" { region = "`+region+"\" }\n"+onHost.Replace(strings.ReplaceAll(labFile, labName, name)))
	}
}

// cluster writes a cluster as kind leaves it: on the engine, and in what labctl remembers.
func (s *sandbox) cluster(t testing.TB, api *apiServer, p *pki, onHost json.RawMessage) {
	t.Helper()
	labels := map[string]string{
		"io.x-k8s.kind.cluster": labName, "io.x-k8s.kind.role": "control-plane",
		"labctl.lab": labName, "labctl.owner": owner, "labctl.cluster": labName,
	}
	nodeImage, registryImage := "sha256:"+id("a"), "sha256:"+id("d")
	recorded := func(image string) map[string]any {
		return map[string]any{"Name": "labctl-image-" + image[7:], "Labels": map[string]string{docker.LabelRecorded: image}}
	}
	engine := map[string]any{
		"containers": []map[string]any{{
			"ID": id("c0"), "Name": node, "Image": "labctl/node:v1.35.4", "ImageID": nodeImage, "State": "running", "Started": "2026-01-01T00:00:00Z",
			"Labels": labels, "Ports": map[string]string{"6443/tcp": api.address}, "Mounts": []string{},
		}},
		"volumes": []any{recorded(nodeImage), recorded(registryImage)},
		"images": []map[string]any{
			{"ID": nodeImage, "Names": []string{"labctl/node:v1.35.4"}, "Labels": map[string]string{"labctl.kubernetes": version}},
			{"ID": "sha256:" + id("b"), "Names": []string{"nginx:1.25"}, "Labels": map[string]string{"labctl.standin": "true"}},
			{"ID": registryImage, "Names": []string{"registry:2"}, "Labels": map[string]string{}},
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
	port, err := strconv.Atoi(portOf(api.address))
	if err != nil {
		t.Fatal(err)
	}
	file := s.path("lab", "hostile.hcl")
	lab := state.Home{Dir: s.path("state")}.Lab(labName)
	err = lab.Save(&state.State{
		Lab: labName, Owner: owner, File: file, FileName: "hostile.hcl", FileBytes: labFile, Host: onHost,
		Cluster: state.ClusterState{
			Name: labName, Image: "labctl/node:v1.35.4", ImageID: nodeImage, Kubernetes: version, Created: true, APIPort: port, Addresses: map[string]string{node: "172.18.0.2"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// id is a container's or an image's.
func id(begin string) string { return fmt.Sprintf("%s%0*d", begin, 64-len(begin), 0) }

// stage is a sandbox with the lab and its far sides.
func (tp *template) stage(tb testing.TB) *stage {
	tb.Helper()
	box, err := newSandbox(filepath.Join(tb.TempDir(), "box"), built)
	if err != nil {
		tb.Fatal(err)
	}
	s := &stage{sandbox: box, tb: tb, pki: tp.pki, api: startAPI(tb, tp.pki)}
	s.api.fill(tb, theCluster)
	s.api.put(tp.objects)
	change := []string{tp.first.dir, s.dir, tp.first.api.address, s.api.address, portOf(tp.first.api.address), portOf(s.api.address)}
	if tp.signer != nil {
		tp.equip(tb, s)
		change = append(change, tp.first.host.address, s.host.address)
	}
	if err := s.copyLab(tp.first.sandbox, strings.NewReplacer(change...)); err != nil {
		tb.Fatal(err)
	}
	return s
}
