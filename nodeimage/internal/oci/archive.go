package oci

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// Image is a name, its layers from the bottom up, and what runs where a pod does not say.
type Image struct {
	Name       string // with registry and tag, as pods and kubeadm write it
	Layers     []Layer
	Entrypoint []string
	User       string
}

const (
	typeIndex    = "application/vnd.oci.image.index.v1+json"
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeLayer    = "application/vnd.oci.image.layer.v1.tar+zstd"
	searchPath   = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

type object map[string]any

// WriteArchive writes the images for one architecture; a layer that several of them share is written once.
func WriteArchive(w io.Writer, architecture string, images []Image) error {
	archive := writer{tar.NewWriter(w), map[string]bool{}}
	var manifests []object
	for _, image := range images {
		manifest, err := archive.image(architecture, image)
		if err != nil {
			return fmt.Errorf("image %s: %w", image.Name, err)
		}
		// This annotation is where containerd's importer looks for the full name.
		manifest["annotations"] = map[string]string{"io.containerd.image.name": image.Name}
		manifests = append(manifests, manifest)
	}
	index, err := json.Marshal(object{"schemaVersion": 2, "mediaType": typeIndex, "manifests": manifests})
	if err != nil {
		return err
	}
	if err := archive.bytes("index.json", index); err != nil {
		return err
	}
	if err := archive.bytes("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)); err != nil {
		return err
	}
	return archive.Close()
}

type writer struct {
	*tar.Writer
	written map[string]bool
}

func (w writer) image(architecture string, image Image) (object, error) {
	var layers []object
	var diffIDs []string
	for _, layer := range image.Layers {
		if err := w.layer(layer); err != nil {
			return nil, err
		}
		layers = append(layers, object{"mediaType": typeLayer, "digest": layer.Digest, "size": layer.Size})
		diffIDs = append(diffIDs, layer.DiffID)
	}
	config := object{"Env": []string{searchPath}}
	if image.Entrypoint != nil {
		config["Entrypoint"] = image.Entrypoint
	}
	if image.User != "" {
		config["User"] = image.User
	}
	stored, err := w.json(typeConfig, object{
		"architecture": architecture, "os": "linux", "config": config,
		"rootfs": object{"type": "layers", "diff_ids": diffIDs},
	})
	if err != nil {
		return nil, err
	}
	return w.json(typeManifest, object{
		"schemaVersion": 2, "mediaType": typeManifest, "config": stored, "layers": layers,
	})
}

// json stores a document and describes it.
func (w writer) json(mediaType string, document object) (object, error) {
	content, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	name := digest(sum[:])
	return object{"mediaType": mediaType, "digest": name, "size": len(content)}, w.bytes(blob(name), content)
}

func (w writer) layer(layer Layer) error {
	if w.written[blob(layer.Digest)] {
		return nil
	}
	w.written[blob(layer.Digest)] = true
	source, err := os.Open(layer.Path)
	if err != nil {
		return err
	}
	defer source.Close()
	if err := w.WriteHeader(&tar.Header{Name: blob(layer.Digest), Size: layer.Size, Mode: 0o644}); err != nil {
		return err
	}
	_, err = io.Copy(w, source)
	return err
}

func (w writer) bytes(name string, content []byte) error {
	if w.written[name] {
		return nil
	}
	w.written[name] = true
	if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o644}); err != nil {
		return err
	}
	_, err := w.Write(content)
	return err
}

func blob(digest string) string { return "blobs/" + strings.Replace(digest, ":", "/", 1) }
