package oci

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func TestArchiveHoldsASharedLayerOnceAndNamesEveryImage(t *testing.T) {
	layer := testLayer(t)
	images := []Image{
		{Name: "registry.k8s.io/one:v1", Layers: []Layer{layer}},
		{Name: "registry.k8s.io/two:v1", Layers: []Layer{layer}, Entrypoint: []string{"/program"}, User: "1:1"},
	}
	var first, second bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &second} {
		if err := WriteArchive(out, "amd64", images); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same images gave two different archives")
	}
	files := map[string][]byte{}
	for archive := tar.NewReader(&first); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := files[header.Name]; twice {
			t.Errorf("%s is in the archive twice", header.Name)
		}
		if files[header.Name], err = io.ReadAll(archive); err != nil {
			t.Fatal(err)
		}
	}
	var index struct {
		Manifests []struct {
			Digest      string
			Annotations map[string]string
		}
	}
	if err := json.Unmarshal(files["index.json"], &index); err != nil {
		t.Fatal(err)
	}
	for i, image := range images {
		described := index.Manifests[i]
		if name := described.Annotations["io.containerd.image.name"]; name != image.Name {
			t.Errorf("manifest %d is named %q, want %q", i, name, image.Name)
		}
		if _, stored := files[blob(described.Digest)]; !stored {
			t.Errorf("manifest %s is not in the archive", described.Digest)
		}
	}
	if stored := files[blob(layer.Digest)]; int64(len(stored)) != layer.Size {
		t.Errorf("layer has %d bytes in the archive, want %d", len(stored), layer.Size)
	}
}

func TestLayerNamesParentDirectories(t *testing.T) {
	file, err := os.Open(testLayer(t).Path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, err := zstd.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	archive, got := tar.NewReader(plain), []string{}
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, header.Name)
	}
	want := []string{"tmp/", "usr/", "usr/bin/", "usr/bin/link", "usr/bin/program"}
	if len(got) != len(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("entry %d is %q, want %q", i, got[i], want[i])
		}
	}
}

func testLayer(t *testing.T) Layer {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	tree := Tree{"/usr/bin/link": {Link: "program"}, "/tmp": {Mode: 0o777 | os.ModeSticky}}
	tree.Program("/usr/bin/program", program)
	layer, err := WriteLayer(filepath.Join(dir, "layer"), tree)
	if err != nil {
		t.Fatal(err)
	}
	return layer
}
