package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// provision makes the directory and the volume of a claim that waits for this node. The volume is named for the claim's
// UID, so that doing it twice is doing it once.
func (a Agent) provision(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	if claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil ||
		claim.Annotations[provisioner] != Provisioner || claim.Annotations[selectedNode] != a.Node ||
		claim.Spec.StorageClassName == nil {
		return nil
	}
	class, err := a.Client.StorageV1().StorageClasses().Get(ctx, *claim.Spec.StorageClassName, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("claim %s/%s: %w", claim.Namespace, claim.Name, err)
	}
	volume := a.volume(claim, class)
	if err := a.makeDir(volume.Spec.HostPath.Path); err != nil {
		return fmt.Errorf("claim %s/%s: %w", claim.Namespace, claim.Name, err)
	}
	_, err = a.Client.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) { // our own, which the cache has not shown us yet
		return nil
	}
	if err != nil {
		return fmt.Errorf("claim %s/%s: creating volume %s: %w", claim.Namespace, claim.Name, volume.Name, err)
	}
	a.Log.Info("volume made", "volume", volume.Name, "claim", claim.Namespace+"/"+claim.Name)
	return nil
}

func (a Agent) volume(claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass) *corev1.PersistentVolume {
	name := "pvc-" + string(claim.UID)
	reclaim := corev1.PersistentVolumeReclaimDelete
	if class.ReclaimPolicy != nil {
		reclaim = *class.ReclaimPolicy
	}
	mustExist := corev1.HostPathDirectory
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Labels:      map[string]string{hostname: a.Node},
			Annotations: map[string]string{provisionedBy: Provisioner},
		},
		Spec: corev1.PersistentVolumeSpec{
			StorageClassName:              class.Name,
			PersistentVolumeReclaimPolicy: reclaim,
			AccessModes:                   claim.Spec.AccessModes,
			VolumeMode:                    claim.Spec.VolumeMode,
			MountOptions:                  class.MountOptions,
			Capacity: corev1.ResourceList{
				corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage],
			},
			// Reserved for this claim from the start, or another waiting one could take it.
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				HostPath: &corev1.HostPathVolumeSource{Path: a.path(name, claim.Namespace, claim.Name), Type: &mustExist},
			},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{
					MatchExpressions: []corev1.NodeSelectorRequirement{{
						Key: hostname, Operator: corev1.NodeSelectorOpIn, Values: []string{a.Node},
					}},
				}},
			}},
		},
	}
}

// reclaim deletes the data of a released volume of this node, then the volume: in that order, so that an interruption
// leaves something that says what is still to do.
func (a Agent) reclaim(ctx context.Context, volume *corev1.PersistentVolume) error {
	if volume.Status.Phase != corev1.VolumeReleased ||
		volume.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete ||
		volume.Spec.HostPath == nil || !a.here(volume) {
		return nil
	}
	path := filepath.Clean(volume.Spec.HostPath.Path)
	if !strings.HasPrefix(path, a.Dir+"/") {
		return fmt.Errorf("volume %s: will not delete %s, which is not in %s", volume.Name, path, a.Dir)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && volume.DeletionTimestamp != nil {
		return nil // done; the API server keeps the object until its finalizers are gone
	}
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("volume %s: deleting its data: %w", volume.Name, err)
	}
	err := a.Client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &volume.UID},
	})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("volume %s: %w", volume.Name, err)
	}
	a.Log.Info("volume deleted", "volume", volume.Name, "path", path)
	return nil
}
