// Package oci writes container images as an OCI archive, which `ctr images import` reads. Nothing but a set of files and
// a name is needed for that: no engine, no registry, no Dockerfile. The same input gives the same bytes.
//
// It writes only what the images of a node need: one platform, and layers without deletions.
package oci

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// Tree is the content of a layer, by absolute path.
type Tree map[string]Entry

// Entry is a file copied from Source, or a symlink to Link, or, where both are empty, a directory.
type Entry struct {
	Source string
	Link   string
	Mode   fs.FileMode
}

// Program puts an executable into the tree.
func (t Tree) Program(at, source string) { t[at] = Entry{Source: source, Mode: 0o755} }

// Layer is a compressed layer on disk.
type Layer struct {
	Path   string
	Size   int64
	Digest string // of the compressed bytes
	DiffID string // of the tar archive within
}

// WriteLayer writes the tree to file. zstd unpacks several times faster than gzip, and every node of a cluster unpacks
// these layers when it boots.
func WriteLayer(file string, tree Tree) (Layer, error) {
	out, err := os.Create(file)
	if err != nil {
		return Layer{}, err
	}
	defer out.Close()
	compressed, plain := sha256.New(), sha256.New()
	encoder, err := zstd.NewWriter(io.MultiWriter(out, compressed), zstd.WithEncoderLevel(zstd.SpeedBetterCompression))
	if err != nil {
		return Layer{}, err
	}
	archive := tar.NewWriter(io.MultiWriter(encoder, plain))
	for _, name := range slices.Sorted(maps.Keys(tree.withParents())) {
		if err := writeEntry(archive, name, tree[name]); err != nil {
			return Layer{}, fmt.Errorf("layer %s: %s: %w", file, name, err)
		}
	}
	for _, closer := range []io.Closer{archive, encoder} {
		if err := closer.Close(); err != nil {
			return Layer{}, fmt.Errorf("layer %s: %w", file, err)
		}
	}
	size, err := out.Seek(0, io.SeekCurrent)
	if err != nil {
		return Layer{}, err
	}
	return Layer{Path: file, Size: size, Digest: digest(compressed.Sum(nil)), DiffID: digest(plain.Sum(nil))}, out.Close()
}

// withParents names the directories too: unpacking would otherwise make them with whatever mode it likes.
func (t Tree) withParents() map[string]bool {
	all := map[string]bool{}
	for name := range t {
		for ; name != "/" && name != "."; name = path.Dir(name) {
			all[name] = true
		}
	}
	return all
}

func writeEntry(archive *tar.Writer, name string, entry Entry) error {
	header := &tar.Header{Name: name[1:], Mode: int64(entry.Mode.Perm())}
	switch {
	case entry.Link != "":
		header.Typeflag, header.Linkname, header.Mode = tar.TypeSymlink, entry.Link, 0o777
		return archive.WriteHeader(header)
	case entry.Source == "":
		header.Typeflag, header.Name = tar.TypeDir, header.Name+"/"
		if header.Mode == 0 {
			header.Mode = 0o755
		}
		if entry.Mode&fs.ModeSticky != 0 {
			header.Mode |= 0o1000
		}
		return archive.WriteHeader(header)
	}
	source, err := os.Open(entry.Source)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	header.Typeflag, header.Size = tar.TypeReg, info.Size()
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(archive, source)
	return err
}

func digest(sum []byte) string { return "sha256:" + hex.EncodeToString(sum) }
