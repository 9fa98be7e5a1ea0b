package mirror

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// saved is an image as `docker save` writes it: with a layer that it has twice, and one that is compressed.
func saved(t *testing.T, manifest bool) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	file := func(name, content string) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	file("c0ffee.json", "the config")
	file("a/layer.tar", "layer a")
	file("b/layer.tar", "\x1f\x8blayer b")
	if err := w.WriteHeader(&tar.Header{Name: "c/layer.tar", Typeflag: tar.TypeSymlink, Linkname: "../a/layer.tar"}); err != nil {
		t.Fatal(err)
	}
	if manifest {
		file("manifest.json", `[{"Config":"c0ffee.json","RepoTags":["x"],"Layers":["a/layer.tar","b/layer.tar","c/layer.tar"]}]`)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// run runs the script on a storage of the test's.
func run(root string, image []byte, args ...string) error {
	script := strings.Replace(store, "root=/var/lib/registry", "root="+root, 1)
	cmd := exec.Command("sh", append([]string{"-c", script, "sh"}, args...)...)
	cmd.Stdin = bytes.NewReader(image)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestAStoredImageIsWhatTheRegistryServes(t *testing.T) {
	root := t.TempDir()
	for range 2 { // a second time changes nothing
		if err := run(root, saved(t, true), "quay.io/x/y", "1", "quay.io/x/y:1", "sha256:id"); err != nil {
			t.Fatal(err)
		}
	}
	storage := filepath.Join(root, "docker/registry/v2")
	repository := filepath.Join(storage, "repositories/quay.io/x/y")
	blob := func(digest string) string {
		hash := strings.TrimPrefix(digest, "sha256:")
		text := read(t, storage, "blobs/sha256", hash[:2], hash, "data")
		if sum := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))); sum != digest {
			t.Errorf("blob %s has the hash %s", digest, sum)
		}
		return text
	}
	digest := read(t, repository, "_manifests/tags/1/current/link")
	type descriptor struct {
		MediaType string `json:"mediaType"`
		Size      int    `json:"size"`
		Digest    string `json:"digest"`
	}
	var manifest struct {
		MediaType string       `json:"mediaType"`
		Config    descriptor   `json:"config"`
		Layers    []descriptor `json:"layers"`
	}
	if err := json.Unmarshal([]byte(blob(digest)), &manifest); err != nil {
		t.Fatal(err)
	}
	if read(t, repository, "_manifests/revisions/sha256", strings.TrimPrefix(digest, "sha256:"), "link") != digest {
		t.Error("the revision is another one")
	}
	want := []string{"the config", "layer a", "\x1f\x8blayer b", "layer a"}
	if len(manifest.Layers) != 3 {
		t.Fatalf("manifest %+v", manifest)
	}
	for i, d := range append([]descriptor{manifest.Config}, manifest.Layers...) {
		if got := blob(d.Digest); got != want[i] || d.Size != len(want[i]) {
			t.Errorf("part %d: %q, size %d", i, got, d.Size)
		}
		if read(t, repository, "_layers/sha256", strings.TrimPrefix(d.Digest, "sha256:"), "link") != d.Digest {
			t.Errorf("part %d is not the repository's", i)
		}
		if gzipped := strings.HasSuffix(d.MediaType, "gzip"); gzipped != (i == 2) {
			t.Errorf("part %d: %s", i, d.MediaType)
		}
	}
	if err := run(root, saved(t, true), "library/z", "2", "z:2", "sha256:z"); err != nil {
		t.Fatal(err)
	}
	if got := read(t, root, "labctl.images"); got != "quay.io/x/y:1 sha256:id\nz:2 sha256:z\n" {
		t.Errorf("inventory: %q", got)
	}
}

func TestAnImageThatIsCutShortIsNotStored(t *testing.T) {
	for name, image := range map[string][]byte{"half": saved(t, true)[:1800], "nothing": nil, "without a manifest": saved(t, false)} {
		root := t.TempDir()
		if err := run(root, image, "library/x", "1", "x:1", "sha256:x"); err == nil {
			t.Errorf("%s: no error", name)
		}
		entries, err := os.ReadDir(root)
		if err != nil || len(entries) > 0 {
			t.Errorf("%s: left %v, %v", name, entries, err)
		}
	}
}
