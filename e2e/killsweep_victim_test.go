//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/state"
)

// victim is a lab of one node whose labctl is killed.
type victim struct {
	*testing.T
	c     *campaign
	score *score
	name  string
	home  string // LABCTL_HOME
	user  string // HOME
	file  string
	files *state.Lab
	// failed is how many checks have failed.
	failed int
}

func newVictim(t *testing.T, c *campaign, score *score, name string) *victim {
	t.Helper()
	dir := t.TempDir()
	v := &victim{T: t, c: c, score: score, name: name, home: filepath.Join(dir, "state"), user: filepath.Join(dir, "home"), file: filepath.Join(dir, name+".hcl")}
	v.files = state.Home{Dir: v.home}.Lab(name)
	text := fmt.Sprintf("lab %[1]q {}\ncluster \"kind\" %[1]q {\n  kubernetes = \"1.35\"\n  node \"control-plane\" {}\n}\nscenario \"imagepull\" {}\n", name)
	if err := errors.Join(os.Mkdir(v.user, 0o700), os.WriteFile(v.file, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if len(v.left()) > 0 { // after a failure
			t.Logf("down, after a failure:\n%s", v.start(around.labctl(), "down", name).wait(t, 3*time.Minute).text)
		}
		volumes, err := output(around.command("volume", "ls", "-q", "--filter", "label=labctl.owner="+v.owner()))
		for _, volume := range strings.Fields(volumes) {
			_, verr := output(around.command("volume", "rm", volume))
			err = errors.Join(err, verr)
		}
		if err != nil {
			t.Error(err)
		}
	})
	return v
}

// own makes the victim's lab that of testdata/own, in a folder of its own, under the victim's name.
func (v *victim) own() {
	v.Helper()
	dir := filepath.Join(filepath.Dir(v.file), "own")
	if err := os.CopyFS(dir, os.DirFS(around.own)); err != nil {
		v.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "own.hcl"))
	if err != nil {
		v.Fatal(err)
	}
	named := strings.NewReplacer(`lab "own"`, fmt.Sprintf("lab %q", v.name), `cluster "kind" "own"`, fmt.Sprintf(`cluster "kind" %q`, v.name))
	v.file = filepath.Join(dir, v.name+".hcl")
	if err := os.WriteFile(v.file, []byte(named.Replace(string(text))), 0o600); err != nil {
		v.Fatal(err)
	}
}

func (v *victim) owner() string { return killOwner + "-" + v.name }

// labctl is the program under test as it is built for people.
func (s surroundings) labctl() string { return filepath.Join(s.bin, "labctl") }

// check counts one thing that was looked at, and whether it was as it should be.
func (v *victim) check(ok bool, format string, args ...any) bool {
	v.Helper()
	v.score.checks.Add(1)
	if !ok {
		v.score.failed.Add(1)
		v.failed++
		v.Errorf(format, args...)
	}
	return ok
}

// converges: `up` makes of whatever there is what an undisturbed one makes. The solution pulls an image
// through the mirror, so it proves what verify cannot see.
func (v *victim) converges(solve bool) {
	v.Helper()
	v.must("up", v.file)
	v.sound()
	if solve {
		v.must("solve", "imagepull", "--run")
	}
}

// sound: the lab is as declared, and nothing is there but the lab.
func (v *victim) sound() {
	v.Helper()
	v.must("verify")
	classes := v.must("kubectl", "--", "get", "storageclass", "--output", "name")
	v.check(strings.Contains(classes, "storageclass."), "the cluster has no storage class: %q", classes)
	names, err := output(around.command("ps", "-a", "--filter", "label=labctl.owner="+v.owner(), "--format", "{{.Names}} {{.State}}"))
	got := strings.Split(names, "\n")
	slices.Sort(got)
	want := []string{v.name + "-control-plane running", "labctl-mirror-" + v.name + " running"}
	slices.Sort(want)
	v.check(err == nil && slices.Equal(got, want), "containers: %q (%v), want %q", got, err, want)
	tags := danglingTags()
	v.check(len(tags) == 0, "tags: %q", tags)
	open := v.unfinished()
	v.check(len(open) == 0, "acts in the journal that have not ended: %v", open)
}

// downs: `down` succeeds and nothing is left.
func (v *victim) downs() {
	v.Helper()
	v.must("down", v.name)
	v.noProcesses()
	lines := v.left()
	v.check(len(lines) == 0, "left after down:\n  %s", strings.Join(lines, "\n  "))
}

// dropKubectl removes the copies of kubectl that labctl has made for the lab.
func (v *victim) dropKubectl() {
	v.Helper()
	copies, err := filepath.Glob(v.files.Path("kubectl-*"))
	if err != nil {
		v.Fatal(err)
	}
	for _, path := range copies {
		if err := os.RemoveAll(path); err != nil {
			v.Fatal(err)
		}
	}
}

// loseState deletes labctl's directory, as somebody does who tidies up by hand.
func (v *victim) loseState() {
	v.Helper()
	if err := os.RemoveAll(v.home); err != nil {
		v.Fatal(err)
	}
}

func (v *victim) records() int {
	v.Helper()
	j, err := v.files.OpenJournal()
	if err != nil {
		v.Fatal(err)
	}
	records, err := j.Records()
	if err != nil {
		v.Fatal(err)
	}
	return len(records)
}

func (v *victim) unfinished() []state.Record {
	v.Helper()
	j, err := v.files.OpenJournal()
	if err != nil {
		v.Fatal(err)
	}
	open, err := j.Unfinished()
	if err != nil {
		v.Fatal(err)
	}
	return open
}

// moment is a time within a run, the same in every test with the same seed.
func moment(r *rand.Rand, within time.Duration) time.Duration {
	return time.Duration(r.Int64N(int64(within)))
}
