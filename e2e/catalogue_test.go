//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// lastOnCleanLab is the script after which the lab's scenarios are as seeded, and before anything of the
// lab itself is broken: the moment for the catalogue's proof, which ends with none seeded.
const lastOnCleanLab = "50-learner.txtar"

// lab is the lab of TestLab.
const lab = "e2e"

// proveCatalogue runs the proof of every scenario in the catalogue on TestLab's cluster. It stands
// beside the catalogue, since it knows it from the inside.
func proveCatalogue(t *testing.T, home string) {
	dir := filepath.Join(home, "state", "labs", lab)
	cmd := exec.Command("go", "test", "-tags", "e2e", "-count=1", "-v", "-run", "^TestCatalogueOnACluster$", "./scenarios")
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "LABCTL_E2E_KUBECONFIG="+filepath.Join(dir, "kubeconfig"), "LABCTL_E2E_LAB="+lab, "LABCTL_E2E_PATH="+filepath.Join(dir, "path"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
