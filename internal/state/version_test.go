package state

import (
	"testing"
	"time"
)

func TestKubernetesVersions(t *testing.T) {
	for text, want := range map[string]bool{
		"1.35": true, "1.35.4": true, "1.36.0-rc.1": true, "1.30.2-eks-1552ad0": false, "1.30.2+k3s1": true,
		"": false, "1": false, "v1.35.4": false, "1.35.4/../../../x": false, "1.35.4\n": false, "..": false, "1.35.4 ": false, "1.35.4-..": false, "1.35.\x1b[2J": false,
	} {
		if got := IsKubernetesVersion(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// A version in the state that is none is as good as not there: it can be found out again.
func TestAVersionInTheStateThatIsNone(t *testing.T) {
	l := Home{Dir: t.TempDir(), Now: time.Now}.Lab("a")
	for version, want := range map[string]string{"1.35.4": "1.35.4", "../../bin/evil": ""} {
		if err := l.Save(&State{Lab: "a", Cluster: ClusterState{Kubernetes: version}}); err != nil {
			t.Fatal(err)
		}
		if s, err := l.Load(); err != nil || s.Cluster.Kubernetes != want {
			t.Errorf("%q is read as %q, %v", version, s.Cluster.Kubernetes, err)
		}
	}
}
