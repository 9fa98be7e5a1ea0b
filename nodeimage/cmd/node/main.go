// Command node is every Kubernetes program of a node in one file, etcd included. The name it is called by selects
// the program. The programs share most of their code, so one file of all is a quarter of the size of seven, and the
// images of the control plane share it as one layer.
//
// It adds nothing to these programs and takes nothing away: each entry does what the program's own main does.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	programs := map[string]func(){
		"etcd":                    etcd,
		"kube-apiserver":          apiserver,
		"kube-controller-manager": controllerManager,
		"kube-proxy":              proxy,
		"kube-scheduler":          scheduler,
		"kubeadm":                 kubeadm,
		"kubectl":                 kubectl,
		"kubelet":                 kubelet,
	}
	name := filepath.Base(os.Args[0])
	run, ok := programs[name]
	if !ok {
		names := make([]string, 0, len(programs))
		for known := range programs {
			names = append(names, known)
		}
		slices.Sort(names)
		fmt.Fprintf(os.Stderr, "%s: call this file by one of these names: %s\n", name, strings.Join(names, ", "))
		os.Exit(2)
	}
	run()
}
