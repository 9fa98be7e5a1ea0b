package lab

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/kubectl"
	"github.com/labctl/labctl/internal/state"
)

// linkKubectl puts at link a kubectl that fits the cluster: this machine's own, else the one of the node image,
// else labctl, which then runs the one in the node, where it is. What comes out of a node or from a lab's
// host never runs here: learners are root there.
func (l *Lab) linkKubectl(ctx context.Context, link string) error {
	if own := l.m.LookPath("kubectl"); filepath.IsAbs(own) && kubectl.Fits(kubectl.Version(ctx, own), l.state.Cluster.Kubernetes) {
		return replaceLink(own, link)
	}
	if copied, err := l.imageKubectl(ctx); err == nil {
		return replaceLink(copied, link)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return replaceLink(self, link)
}

// imageID is an engine's name for an image by its content.
var imageID = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// maxKubectl is more than any kubectl has.
const maxKubectl = 1 << 29

// imageKubectl returns the path of the node image's kubectl, copied out of the image that the cluster was made
// from. An image that the lab file names may be anybody's, as may be what a lab's host calls an image.
func (l *Lab) imageKubectl(ctx context.Context) (string, error) {
	id := l.state.Cluster.ImageID
	switch {
	case l.remote != nil, l.Declared.Cluster.Image != "":
		return "", errors.New("the node image is not labctl's own")
	case !imageID.MatchString(id):
		return "", fmt.Errorf("the node image is not known: %q", id)
	}
	copied := l.files.Path("kubectl-" + id[len("sha256:"):][:12])
	if _, err := os.Stat(copied); err == nil {
		return copied, nil
	}
	info, err := l.engine.Info(ctx)
	if err != nil {
		return "", err
	}
	if runtime.GOOS != "linux" || !sameArchitecture(info.Architecture) {
		return "", fmt.Errorf("the node image is for %s", info.Architecture)
	}
	dir, err := os.MkdirTemp(l.files.Dir(), "kubectl-new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	// By its own name: it may be a program of several names.
	f, err := os.OpenFile(filepath.Join(dir, "kubectl"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o700)
	if err != nil {
		return "", err
	}
	err = l.copyKubectl(ctx, id, f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return "", err
	}
	if version := kubectl.Version(ctx, f.Name()); !kubectl.Fits(version, l.state.Cluster.Kubernetes) {
		return "", fmt.Errorf("the node image's kubectl says that it is %q", version)
	}
	return copied, os.Rename(f.Name(), copied)
}

// removeCopier removes the container that a killed labctl has left.
func (l *Lab) removeCopier(ctx context.Context, name string) error {
	left, err := l.engine.Named(ctx, name)
	if err != nil || len(left) == 0 {
		return err
	}
	if !l.cluster.Ownership.On(left[0].Labels) {
		return fmt.Errorf("container %s is not this lab's", name)
	}
	return l.engine.Remove(ctx, l.cluster.Addr(), left...)
}

// copyKubectl writes an image's kubectl to w. The container that this takes is never started.
func (l *Lab) copyKubectl(ctx context.Context, image string, w io.Writer) (err error) {
	name := "labctl-kubectl-" + l.Name()
	if err := l.removeCopier(ctx, name); err != nil {
		return err
	}
	args := []string{"create", "--name", name, "--network", "none"}
	for _, label := range l.cluster.Ownership.Labels() {
		args = append(args, "--label", label)
	}
	act := state.Act{Verb: "docker create", Object: name, Addr: l.cluster.Addr()}
	out, err := l.engine.Change(ctx, act, nil, append(args, image, "kubectl")...)
	if err != nil {
		return err
	}
	id, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
	defer func() {
		rerr := l.engine.Remove(context.WithoutCancel(ctx), l.cluster.Addr(), docker.Container{ID: id, Name: name})
		err = errors.Join(err, rerr)
	}()
	read, write := io.Pipe()
	go func() {
		// With -L: it may be a link to a program of several names.
		write.CloseWithError(l.engine.Runner.Run(ctx, command.Command{Argv: []string{"docker", "cp", "-L", id + ":/usr/bin/kubectl", "-"}, Stdout: write}))
	}()
	defer read.Close()
	files := tar.NewReader(read)
	header, err := files.Next()
	switch {
	case err != nil:
		return fmt.Errorf("copying kubectl out of image %s: %w", image, err)
	case header.Typeflag != tar.TypeReg || header.Size > maxKubectl:
		return fmt.Errorf("copying kubectl out of image %s: %q is no program", image, header.Name)
	}
	if _, err = io.Copy(w, files); err != nil {
		return fmt.Errorf("copying kubectl out of image %s: %w", image, err)
	}
	_, err = io.Copy(io.Discard, read) // so that docker's command ends
	return err
}

// sameArchitecture says whether an engine's architecture, in uname's words, is this program's.
func sameArchitecture(architecture string) bool {
	return map[string]string{"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}[architecture] == runtime.GOARCH
}
