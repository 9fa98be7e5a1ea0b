//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// killOwner is whose the labs are whose labctl is killed; each lab has an owner of its own that begins
// with this, and so a mirror's cache of its own, which has to be filled every time.
const killOwner = "labctl-e2e-kill"

// campaign is all that is killed in one run.
type campaign struct {
	*testing.T
	killing string   // a labctl built with the tag killpoints
	volumes []string // without a name and a container, before
}

// score is what was counted of one kind of kill.
type score struct {
	what                   string
	points, checks, failed atomic.Int64
	nanoseconds            atomic.Int64 // of all labs together
}

// String is the line that a run ends with.
func (s *score) String() string {
	return fmt.Sprintf("%s: %d points, %d checks, %d failed", s.what, s.points.Load(), s.checks.Load(), s.failed.Load())
}

func newCampaign(t *testing.T) *campaign {
	t.Helper()
	c := &campaign{T: t, killing: filepath.Join(t.TempDir(), "labctl")}
	build := exec.Command("go", "build", "-trimpath", "-tags", "killpoints", "-ldflags", "-s -w -X main.version=e2e", "-o", c.killing, "./cmd/labctl")
	build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	if _, err := output(build); err != nil {
		t.Fatal(err)
	}
	volumes, err := unusedVolumes()
	if err != nil {
		t.Fatal(err)
	}
	c.volumes = volumes
	return c
}

// end looks once more for everything that may have come late, and returns how much that was.
func (c *campaign) end() int {
	c.Helper()
	late := left(killOwner, "")
	volumes, err := unusedVolumes()
	if err != nil {
		late = append(late, err.Error())
	}
	for _, v := range volumes {
		if !slices.Contains(c.volumes, v) {
			late = append(late, "volume "+v+", which was not there before")
		}
	}
	if len(late) > 0 {
		c.Errorf("left at the end:\n  %s", strings.Join(late, "\n  "))
	}
	return len(late)
}

// unusedVolumes lists the volumes that no container has and that have no name: one that lost its labels
// could be found in no other way.
func unusedVolumes() ([]string, error) {
	out, err := output(around.command("volume", "ls", "-q", "--filter", "dangling=true"))
	const anonymous = 64 // digits
	return slices.DeleteFunc(strings.Fields(out), func(name string) bool { return len(name) != anonymous }), err
}

// job is one lab's way through a kill.
type job struct {
	score *score
	name  string
	run   func(v *victim)
	ended func() // called at the end, also of one that was filtered out; may be nil
}

// atOnce is how many labs of one node two cores bear: kind mostly waits.
const atOnce = 3

// side runs what jobs sends side by side, each as a subtest with a lab of its own.
func (c *campaign) side(jobs func(do func(job))) {
	c.Helper()
	type numbered struct {
		job
		n int
	}
	next := make(chan numbered)
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for j := range next {
				c.Run(j.name, func(t *testing.T) { c.one(t, j.job, fmt.Sprintf("ks-%d", j.n)) })
				if j.ended != nil {
					j.ended()
				}
			}
		})
	}
	n := 0
	jobs(func(j job) {
		n++
		next <- numbered{j, n}
	})
	close(next)
	wg.Wait()
}

// one runs a job on a lab of that name.
func (c *campaign) one(t *testing.T, j job, name string) {
	began := time.Now()
	v := newVictim(t, c, j.score, name)
	t.Cleanup(func() {
		j.score.nanoseconds.Add(int64(time.Since(began)))
		if t.Failed() && v.failed == 0 {
			j.score.failed.Add(1) // other than by a check: it did not end, say
		}
	})
	j.run(v)
}
