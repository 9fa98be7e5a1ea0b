// Command images writes the container images that kubeadm, the CNI and the storage provisioner of a node need, as one
// OCI archive, and prints their names.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/labctl/labctl/nodeimage/internal/oci"
)

type options struct {
	bin, root, out string
	kubernetes     string
	etcd           string
	coredns        string
	pause          string
	agent          string
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "", "directory with the programs node, nodenet, coredns and pause")
	flag.StringVar(&o.root, "root", "", "root file system to take iptables and its libraries from")
	flag.StringVar(&o.out, "out", "", "archive to write")
	flag.StringVar(&o.kubernetes, "kubernetes", "", "tag of the kube-* images")
	flag.StringVar(&o.etcd, "etcd", "", "name of etcd's image, as kubeadm lists it")
	flag.StringVar(&o.coredns, "coredns", "", "name of CoreDNS's image, as kubeadm lists it")
	flag.StringVar(&o.pause, "pause", "", "name of the sandbox image, as containerd's configuration says it")
	flag.StringVar(&o.agent, "agent", "", "name of the image of nodenet")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	layers := map[string]oci.Layer{}
	for name, fill := range map[string]func(oci.Tree) error{
		"node":     o.node,
		"iptables": o.iptables,
		"nodenet":  o.program("nodenet"),
		"coredns":  o.program("coredns"),
		"pause":    o.program("pause"),
	} {
		tree := oci.Tree{}
		if err := fill(tree); err != nil {
			return err
		}
		layer, err := oci.WriteLayer(filepath.Join(filepath.Dir(o.out), name+".layer"), tree)
		if err != nil {
			return err
		}
		layers[name] = layer
	}
	images := []oci.Image{
		{Name: o.etcd, Layers: []oci.Layer{layers["node"]}},
		{Name: o.coredns, Layers: []oci.Layer{layers["coredns"]}, Entrypoint: []string{"/coredns"}},
		{Name: o.pause, Layers: []oci.Layer{layers["pause"]}, Entrypoint: []string{"/pause"}, User: "65535:65535"},
		{Name: o.agent, Layers: []oci.Layer{layers["iptables"], layers["nodenet"]}, Entrypoint: []string{"/nodenet"}},
	}
	for _, name := range []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
		images = append(images, oci.Image{Name: o.kube(name), Layers: []oci.Layer{layers["node"]}})
	}
	images = append(images, oci.Image{Name: o.kube("kube-proxy"), Layers: []oci.Layer{layers["node"], layers["iptables"]}})
	out, err := os.Create(o.out)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := oci.WriteArchive(out, runtime.GOARCH, images); err != nil {
		return err
	}
	for _, image := range images {
		fmt.Println(image.Name)
	}
	return out.Close()
}

func (o options) kube(name string) string { return "registry.k8s.io/" + name + ":" + o.kubernetes }

// node is the layer of the whole control plane and of kube-proxy: one file, and a link for each name.
func (o options) node(tree oci.Tree) error {
	tree.Program("/usr/local/bin/node", filepath.Join(o.bin, "node"))
	for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler"} {
		tree["/usr/local/bin/"+name] = oci.Entry{Link: "node"}
	}
	tree["/tmp"] = oci.Entry{Mode: 0o777 | os.ModeSticky}
	return nil
}

// iptables is what kube-proxy and nodenet call to write rules.
func (o options) iptables(tree oci.Tree) error {
	if err := tree.Dynamic(o.root, "/usr/sbin/xtables-nft-multi", "/usr/sbin/xtables-legacy-multi", "/usr/sbin/nft"); err != nil {
		return err
	}
	extensions, err := filepath.Glob(filepath.Join(o.root, "usr/lib/*-linux-gnu/xtables/*.so"))
	if err != nil {
		return err
	}
	for _, extension := range extensions {
		name, err := filepath.Rel(o.root, extension)
		if err != nil {
			return err
		}
		if err := tree.Dynamic(o.root, "/"+name); err != nil {
			return err
		}
	}
	tree["/etc/protocols"] = oci.Entry{Source: filepath.Join(o.root, "etc/protocols"), Mode: 0o644}
	tree["/run"] = oci.Entry{}
	return nil
}

func (o options) program(name string) func(oci.Tree) error {
	return func(tree oci.Tree) error {
		tree.Program("/"+name, filepath.Join(o.bin, name))
		return nil
	}
}
