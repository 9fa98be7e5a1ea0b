// Package storage makes volumes of directories on a node. Every node's agent serves the claims whose pod was placed on
// that node and deletes the data of volumes that were released there, so there is no leader to elect and no helper pod to
// wait for: who makes a directory is who can see it.
//
// It knows only classes that bind when a pod is placed (WaitForFirstConsumer): before that no node is chosen.
package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

const (
	// Provisioner is the name by which storage classes ask for this package. It is that of kind's own provisioner, so
	// that a class written for the one image works on the other.
	Provisioner = "rancher.io/local-path"

	provisionedBy = "pv.kubernetes.io/provisioned-by"
	provisioner   = "volume.kubernetes.io/storage-provisioner"
	selectedNode  = "volume.kubernetes.io/selected-node"
	hostname      = "kubernetes.io/hostname"

	resync = 5 * time.Minute
)

// Agent makes and deletes the volumes of one node.
type Agent struct {
	Client kubernetes.Interface
	Node   string
	Dir    string // the directory that holds one directory per volume, at the same path here and on the node
	Log    *slog.Logger
}

// Run follows claims and volumes until the context ends.
func (a Agent) Run(ctx context.Context) error {
	factory := informers.NewSharedInformerFactory(a.Client, resync)
	claims := factory.Core().V1().PersistentVolumeClaims()
	volumes := factory.Core().V1().PersistentVolumes()
	changed := make(chan struct{}, 1)
	notify := func() {
		select {
		case changed <- struct{}{}:
		default: // a pass is due already, and will see this change too
		}
	}
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { notify() },
		UpdateFunc: func(any, any) { notify() },
	}
	for _, informer := range []cache.SharedIndexInformer{claims.Informer(), volumes.Informer()} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	if !cache.WaitForCacheSync(ctx.Done(), claims.Informer().HasSynced, volumes.Informer().HasSynced) {
		return ctx.Err()
	}
	var retry <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-retry:
		}
		retry = nil
		var problems []error
		asked, err := claims.Lister().List(labels.Everything())
		problems = append(problems, err)
		for _, claim := range asked {
			problems = append(problems, a.provision(ctx, claim))
		}
		made, err := volumes.Lister().List(labels.Everything())
		problems = append(problems, err)
		for _, volume := range made {
			problems = append(problems, a.reclaim(ctx, volume))
		}
		if err := errors.Join(problems...); err != nil && ctx.Err() == nil {
			a.Log.Error("reconciling volumes", "error", err)
			retry = time.After(2 * time.Second)
		}
	}
}

// path of a volume's directory. Its names cannot lead elsewhere: Kubernetes allows no slash in them.
func (a Agent) path(volume, namespace, claim string) string {
	return filepath.Join(a.Dir, volume+"_"+namespace+"_"+claim)
}

func (a Agent) makeDir(path string) error {
	if err := os.MkdirAll(path, 0o777); err != nil {
		return fmt.Errorf("making a volume: %w", err)
	}
	// Whatever user the pod runs as has to be able to write; the umask took that away.
	if err := os.Chmod(path, 0o777); err != nil {
		return fmt.Errorf("making a volume: %w", err)
	}
	return nil
}

func (a Agent) here(volume *corev1.PersistentVolume) bool {
	if volume.Annotations[provisionedBy] != Provisioner || volume.Spec.NodeAffinity == nil {
		return false
	}
	return volume.Labels[hostname] == a.Node
}
