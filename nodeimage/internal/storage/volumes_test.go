package storage

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The agent of these tests has no client: whatever should be left alone must not get as far as to the API.

func TestReclaimRefusesWhatIsNotInItsDirectory(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(dir, "outside")
	if err := os.Mkdir(outside, 0o700); err != nil {
		t.Fatal(err)
	}
	agent := testAgent(filepath.Join(dir, "volumes"))
	volume := released(agent, t)
	volume.Spec.HostPath.Path = agent.Dir + "/../outside"
	err := agent.reclaim(context.Background(), volume)
	if err == nil || !strings.Contains(err.Error(), "will not delete") {
		t.Errorf("got error %v, want a refusal", err)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Errorf("it was deleted: %v", err)
	}
}

func TestReclaimLeavesAlone(t *testing.T) {
	agent := testAgent(t.TempDir())
	for name, change := range map[string]func(*corev1.PersistentVolume){
		"a bound volume": func(v *corev1.PersistentVolume) { v.Status.Phase = corev1.VolumeBound },
		"a retained volume": func(v *corev1.PersistentVolume) {
			v.Spec.PersistentVolumeReclaimPolicy = corev1.PersistentVolumeReclaimRetain
		},
		"another node's volume": func(v *corev1.PersistentVolume) { v.Labels[hostname] = "other" },
		"a volume made by hand": func(v *corev1.PersistentVolume) { delete(v.Annotations, provisionedBy) },
	} {
		volume := released(agent, t)
		change(volume)
		if err := agent.reclaim(context.Background(), volume); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(volume.Spec.HostPath.Path); err != nil {
			t.Errorf("%s: its data is gone: %v", name, err)
		}
	}
}

func TestProvisionLeavesAloneWhatIsNotItsOwn(t *testing.T) {
	agent := testAgent(t.TempDir())
	for name, change := range map[string]func(*corev1.PersistentVolumeClaim){
		"a claim of another node":     func(c *corev1.PersistentVolumeClaim) { c.Annotations[selectedNode] = "other" },
		"a claim nobody has placed":   func(c *corev1.PersistentVolumeClaim) { delete(c.Annotations, selectedNode) },
		"a claim of another class":    func(c *corev1.PersistentVolumeClaim) { c.Annotations[provisioner] = "other" },
		"a claim that has its volume": func(c *corev1.PersistentVolumeClaim) { c.Spec.VolumeName = "pv" },
	} {
		claim := testClaim()
		change(claim)
		if err := agent.provision(context.Background(), claim); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if entries, _ := os.ReadDir(agent.Dir); len(entries) != 0 {
		t.Errorf("made %v", entries)
	}
}

func testAgent(dir string) Agent {
	return Agent{Node: "worker", Dir: dir, Log: slog.New(slog.DiscardHandler)}
}

func testClaim() *corev1.PersistentVolumeClaim {
	class := "standard"
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: "data", UID: "1-2-3",
			Annotations: map[string]string{provisioner: Provisioner, selectedNode: "worker"},
		},
		Spec: corev1.PersistentVolumeClaimSpec{StorageClassName: &class},
	}
}

// released is a volume of the agent whose claim is gone, with its directory.
func released(agent Agent, t *testing.T) *corev1.PersistentVolume {
	t.Helper()
	volume := agent.volume(testClaim(), &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "standard"}})
	volume.Status.Phase = corev1.VolumeReleased
	if err := agent.makeDir(volume.Spec.HostPath.Path); err != nil {
		t.Fatal(err)
	}
	return volume
}
