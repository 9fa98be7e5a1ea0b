//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/e2e/sample"
	"github.com/labctl/labctl/internal/state"
)

// soak: every point in every way, which takes hours; else half of the points, in one way, and a spread of them
// in the others.
func soak() bool { return sample.Whole() }

// TestKill kills labctl in every way, and looks what the next one makes of it. Each kind of kill says
// at the end how many points and checks there were.
func TestKill(t *testing.T) {
	c := newCampaign(t)
	sweep, inside, race, lock := &score{what: "kill sweep"}, &score{what: "kill inside a lab that is up"}, &score{what: "kill race"}, &score{what: "kill and lock"}
	c.side(func(do func(job)) {
		points := make(chan []string, 1)
		do(countJob(sweep, points))
		do(insideJob(inside))
		do(ownJob(inside))
		for _, j := range raceJobs(race) {
			do(j)
		}
		for _, j := range sweepJobs(sweep, <-points) {
			do(j)
		}
		do(lockJob(lock))
	})
	sweep.failed.Add(int64(c.end()))
	for _, s := range []*score{sweep, inside, race, lock} {
		fmt.Println("result:", s)
		t.Logf("%s (%s of labs)", s, time.Duration(s.nanoseconds.Load()).Round(time.Second))
	}
}

// sweepJobs kill `up` at every record of its journal, which is before and after every act. Then `down`
// leaves nothing, or `up` converges; the `down` after that is killed at its own records in its turn.
// The points are those of an undisturbed run, so a new act is swept without being listed here.
func sweepJobs(score *score, points []string) []job {
	var jobs []job
	spread := 0
	for i := len(points); i > 0; i-- {
		if !sample.Takes(i, 2) {
			continue
		}
		n, turn := i, spread
		add := func(then string, run func(v *victim)) {
			jobs = append(jobs, job{score: score, name: fmt.Sprintf("sweep/%02d %s/%s", n, points[n-1], then), run: run})
		}
		toUp, stateLost := n%8 == 3, n%5 == 2 && n%8 != 3
		if soak() || toUp {
			spread++
			add("up", func(v *victim) {
				v.point(n)
				v.converges(soak() || turn%2 == 0)
				v.killDown(turn)
			})
		}
		if soak() || stateLost {
			add("down without state", func(v *victim) {
				v.point(n)
				v.loseState()
				v.downs()
			})
		}
		if soak() || !toUp && !stateLost {
			add("down", func(v *victim) {
				v.point(n)
				v.downs()
			})
		}
	}
	return jobs
}

// countJob makes an undisturbed run and sends what each of its records says.
func countJob(score *score, points chan<- []string) job {
	run := func(v *victim) {
		v.must("up", v.file)
		j, err := v.files.OpenJournal()
		if err != nil {
			v.Fatal(err)
		}
		records, err := j.Records()
		if err != nil {
			v.Fatal(err)
		}
		var found []string
		for _, r := range records {
			when := map[state.Phase]string{state.Begin: "before", state.Done: "after"}[r.Phase]
			v.check(when != "", "record %d of an undisturbed run: %s %s: %s: %s", r.N, r.Verb, r.Object, r.Phase, r.Error)
			what := r.Verb + " " + strings.TrimPrefix(r.Object, v.name+"-")
			if r.Verb == "docker exec" {
				what = r.Verb + " " + r.Detail
			}
			found = append(found, when+" "+strings.ReplaceAll(what, "/", "-"))
		}
		v.check(len(found) > 0, "the undisturbed run made no records")
		v.sound()
		v.downs()
		points <- found
	}
	return job{score: score, name: "undisturbed", run: run, ended: func() { close(points) }}
}

// point kills `up` at record n of a fresh lab.
func (v *victim) point(n int) {
	v.Helper()
	if v.killAt(n, "up", v.file) {
		return
	}
	// The number of points is that of another run: on a busy machine kind asks for some things once more. Then this one
	// has ended before its last records, and that is all.
	if records := v.records(); !v.check(records < n, "up was to be killed at record %d, and made %d", n, records) {
		v.FailNow()
	}
}

// killDown kills `down` at its own records: the one of that turn, or all of them one after the other.
// The next `down` finishes, or the next `up` converges and the `down` after it leaves nothing.
func (v *victim) killDown(turn int) {
	v.Helper()
	const most = 6 // more than there are: then down ends by itself
	first := turn%most + 1
	killed := v.killAt(v.records()+first, "down", v.name)
	if killed && (soak() || turn == 1) {
		v.converges(false)
	}
	v.downs()
}

// insideJob kills the commands that work on a lab which is up, on one cluster: reset, which is seeding
// as well, at each of its requests; scenario, stop and start at the records of the journal. After each,
// another command finishes.
func insideJob(score *score) job {
	return job{score: score, name: "inside", run: func(v *victim) {
		v.converges(false)
		for n := 1; v.killAtRequest(n, "reset", "imagepull"); n++ {
			if n%2 == 0 {
				v.must("scenario", "imagepull")
			} else {
				v.must("up", v.file)
			}
			v.must("verify")
		}
		v.must("solve", "imagepull", "--run")
		// Another scenario needs another image in the mirror. Each run goes on from where the last one was killed.
		for n := 1; v.killAt(v.records()+n, "scenario", "crashloop"); n++ {
		}
		v.must("up", v.file)
		v.sound()
		for n := 1; v.killAt(v.records()+n, "stop"); n++ {
			v.must("start")
			v.sound()
			if !soak() {
				break
			}
		}
		if soak() {
			v.must("stop")
			for n := 1; v.killAt(v.records()+n, "start"); n++ {
				v.must("up", v.file)
				v.sound()
				v.must("stop")
			}
			v.must("start")
		}
		v.must("check", "imagepull") // what was repaired is still repaired
		// kubectl is copied out of the node image, by a container that is made for it.
		for n := 1; ; n++ {
			v.dropKubectl()
			if !v.killAt(v.records()+n, "kubectl", "--", "get", "nodes") {
				break
			}
		}
		v.must("up", v.file) // closes in the journal what was cut off
		v.sound()
		v.downs()
	}}
}

// ownJob is insideJob for a lab whose scenarios stand in its own file, in a folder that is gone after `up`:
// whatever finishes after a kill has to know them from what was kept.
func ownJob(score *score) job {
	return job{score: score, name: "own", run: func(v *victim) {
		v.own()
		const seeding = 5 // the change by which a fresh lab's scenarios are being seeded
		if !v.check(v.killAtRequest(seeding, "up", v.file), "up was to be killed at its change %d and ended before it", seeding) {
			v.must("up", v.file)
		}
		if err := os.RemoveAll(filepath.Dir(v.file)); err != nil {
			v.Fatal(err)
		}
		v.must("start")
		v.must("verify")
		every := 3
		if soak() {
			every = 1
		}
		for _, name := range []string{"store", "two-shops"} {
			for n := 1; v.killAtRequest(n, "reset", name); n += every {
				if n%2 == 0 {
					v.must("scenario", name)
				} else {
					v.must("reset", name)
				}
				v.must("verify")
			}
		}
		v.must("solve", "store", "--yes")
		if v.killAt(v.records()+2, "stop") {
			v.must("start")
		}
		v.must("check", "store")
		v.downs()
	}}
}

// within is about how long `up` takes.
const within = 22 * time.Second
