//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/scenarios"
)

// lastOnCleanLab is the script of TestScriptsLab after which its scenarios are as seeded and nothing of the lab
// itself has been broken yet: the moment for the catalogue's proof.
const lastOnCleanLab = "50-learner.txtar"

// proveCatalogue proves every scenario of the catalogue, and a task, with `labctl scenario test`, as their authors do.
// name is the lab, home its user's directory.
func proveCatalogue(t *testing.T, name, home string) {
	all := scenarios.Definitions()
	args := []string{"scenario", "test", "--lab", name, "--yes", "-o", "json", filepath.Join("..", "scenarios", "testdata", "first-web")}
	for scenario := range all {
		args = append(args, scenario)
	}
	cmd := exec.Command(around.labctl(), args...)
	cmd.Env = append(os.Environ(), "LABCTL_HOME="+filepath.Join(home, "state"), "LABCTL_OWNER="+owners["lab"], "DOCKER_HOST="+around.host, "HOME="+home)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	var result struct{ Proofs []*lab.Proof }
	if jerr := json.Unmarshal(out, &result); jerr != nil {
		t.Fatalf("%v, %v:\n%s", err, jerr, &said)
	}
	if len(result.Proofs) != len(all)+1 {
		t.Errorf("%d proofs of %d scenarios", len(result.Proofs), len(all)+1)
	}
	for _, proof := range result.Proofs {
		t.Run(proof.Scenario, func(t *testing.T) {
			if !proof.Proven || len(proof.Steps) == 0 {
				t.Errorf("not proven, after %d steps", len(proof.Steps))
			}
			for _, step := range proof.Steps {
				t.Logf("%s: %s (%.1f s)", step.Name, step.Saw, step.Seconds)
				for _, wrong := range step.Wrong {
					t.Errorf("%s: %s\n%s", step.Name, wrong, step.Output)
				}
			}
		})
	}
	if err != nil {
		t.Errorf("%v:\n%s", err, &said)
	}
}
