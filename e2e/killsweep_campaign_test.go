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
	volumes []string // that were there before
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
	volumes, err := output(around.command("volume", "ls", "-q"))
	if err != nil {
		t.Fatal(err)
	}
	c.volumes = strings.Fields(volumes)
	return c
}

// end looks once more for everything that may have come late, and returns how much that was.
func (c *campaign) end() int {
	c.Helper()
	late := left(killOwner, "")
	volumes, err := output(around.command("volume", "ls", "-q"))
	if err != nil {
		late = append(late, err.Error())
	}
	for _, v := range strings.Fields(volumes) {
		if !slices.Contains(c.volumes, v) {
			late = append(late, "volume "+v+", which was not there before")
		}
	}
	if len(late) > 0 {
		c.Errorf("left at the end:\n  %s", strings.Join(late, "\n  "))
	}
	return len(late)
}

// job is one lab's way through a kill.
type job struct {
	score *score
	name  string
	run   func(v *victim)
}

// atOnce is how many labs of one node two cores bear: kind mostly waits.
const atOnce = 3

// side runs jobs side by side, each as a subtest with a lab of its own.
func (c *campaign) side(jobs []job) {
	c.Helper()
	next := make(chan int)
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for i := range next {
				j := jobs[i]
				c.Run(j.name, func(t *testing.T) {
					began := time.Now()
					j.run(newVictim(t, c, j.score, fmt.Sprintf("ks-%d", i+1)))
					j.score.nanoseconds.Add(int64(time.Since(began)))
				})
			}
		})
	}
	for i := range jobs {
		next <- i
	}
	close(next)
	wg.Wait()
}
