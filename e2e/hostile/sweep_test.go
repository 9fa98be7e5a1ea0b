//go:build e2e

package hostile

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/labctl/labctl/e2e/sample"
)

var (
	only    = flag.String("only", "", "sweep only the combinations that match: \"api endless.*: labctl check\"")
	logFile = flag.String("log", "", "write every run into this file, as it is done")
)

// How long a command may take on a hostile far side, with the patience that it has here.
const (
	limit     = 20 * time.Second
	slowLimit = 75 * time.Second
)

// combination is one command on one far side.
type combination struct {
	row       row
	behaviour behaviour
	template  *template
}

func (c combination) String() string { return c.behaviour.name + ": " + c.row.String() }

// TestSweep runs every command against every behaviour: half of those that it can hear of, and all with soak.
func TestSweep(t *testing.T) {
	pattern, err := regexp.Compile(*only)
	if err != nil {
		t.Fatal(err)
	}
	behaviours := slices.Concat(engineBehaviours, nodeBehaviours, apiBehaviours, hostBehaviours)
	here, there := newTemplate(t, false), newTemplate(t, true)
	var all []combination
	asked, unasked := 0, 0 // unasked is what the command does not hear of, as the well-behaved show
	whole := *only != ""
	for _, b := range behaviours {
		for _, r := range rows {
			c := combination{r, b, here}
			if !b.side.onThisMachine() {
				c.template = there
			}
			if !b.well && !r.asks(b.side) {
				unasked++
				continue
			}
			if pattern.MatchString(c.String()) {
				asked++
				if whole || b.well || sample.Takes(asked, 2) {
					all = append(all, c)
				}
			}
		}
	}
	// Those that wait cost nothing while they do; they begin first.
	slices.SortStableFunc(all, func(a, b combination) int { return weight(b) - weight(a) })
	began := time.Now()
	wrong := sweep(t, all)
	report(t, wrong)
	fmt.Printf("result: hostile: %d commands x %d behaviours: %d of %d taken, %d passed, %d failed, %d not asked, in %s (%s of CPU)\n", len(rows), len(behaviours), len(all), asked, len(all)-len(wrong), len(wrong), unasked,
		time.Since(began).Round(time.Second), cpu().Round(time.Second))
}

// cpu is what this process and those that it has waited for have taken.
func cpu() time.Duration {
	var total time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			total += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return total
}

// idles tells that a run mostly waits, so that many may go on at once.
func (c combination) idles() bool {
	return !c.behaviour.well && !c.floods() && (c.behaviour.waits || c.row.slow)
}

func (c combination) floods() bool { return strings.Contains(c.behaviour.name, "endless") }

// weight puts the longest first.
func weight(c combination) int {
	w := 0
	if c.behaviour.waits {
		w += 2
	}
	if c.row.slow {
		w++
	}
	return w
}

// failure is what was wrong with one combination.
type failure struct {
	combination
	run   *run
	wrong []string
}

// sweep runs the combinations side by side and returns those that fail.
func sweep(t *testing.T, all []combination) []failure {
	var (
		mu     sync.Mutex
		failed []failure
		wg     sync.WaitGroup
		busy   = make(chan struct{}, 2*runtime.NumCPU())
		idle   = make(chan struct{}, 60) // they wait, and cost little meanwhile
		floods = make(chan struct{}, 8)  // whoever kept these would take all memory
		log    *os.File
	)
	if *logFile != "" {
		var err error
		if log, err = os.Create(*logFile); err != nil {
			t.Fatal(err)
		}
		defer log.Close()
	}
	feed := func(slots chan struct{}, these func(combination) bool) {
		for _, c := range all {
			if !these(c) {
				continue
			}
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				r, wrong := try(t, c)
				mu.Lock()
				defer mu.Unlock()
				if log != nil {
					fmt.Fprintf(log, "=== %s: %v\n%s\n\n", c, wrong, r)
				}
				if len(wrong) > 0 {
					failed = append(failed, failure{c, r, wrong})
				}
			})
		}
	}
	// First those whose answers have to be on time.
	feed(busy, func(c combination) bool { return c.behaviour.well })
	wg.Wait()
	wg.Go(func() { feed(idle, combination.idles) })
	wg.Go(func() { feed(floods, combination.floods) })
	feed(busy, func(c combination) bool { return !c.idles() && !c.floods() && !c.behaviour.well })
	wg.Wait()
	slices.SortFunc(failed, func(a, b failure) int { return strings.Compare(a.String(), b.String()) })
	return failed
}

// try runs one combination in a sandbox of its own.
func try(t *testing.T, c combination) (*run, []string) {
	tp := c.template
	tb := &scope{TB: t, dir: filepath.Join(tp.dir, fmt.Sprint(tp.next()))}
	defer tb.end()
	s := tp.stage(tb)
	c.behaviour.prepare(t, s)
	before, err := s.snapshot()
	if err != nil {
		return nil, []string{err.Error()}
	}
	args := slices.Clone(c.row.args)
	if c.behaviour.json {
		args = slices.Concat([]string{"-o", "json"}, args)
	}
	longest := limit
	if c.row.slow || c.behaviour.side == aws && c.row.manner == acts {
		longest = slowLimit
	}
	r := s.labctl(tb, longest, args...)
	wrong := s.judge(r, before, c.behaviour.codesFor(c.row))
	if side := c.behaviour.side; c.behaviour.well && s.asked(side) && !c.row.asks(side) {
		wrong = append(wrong, fmt.Sprintf("it asks the %s, which its row does not say", side))
	}
	if s.then != nil {
		wrong = append(wrong, s.then()...)
	}
	return r, wrong
}

// scope is the part of a test that one combination is: what it opens is closed when it ends.
type scope struct {
	testing.TB
	dir      string
	cleanups []func()
}

func (s *scope) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }
func (s *scope) TempDir() string {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		s.Fatal(err)
	}
	return s.dir
}

func (s *scope) end() {
	for _, f := range slices.Backward(s.cleanups) {
		f()
	}
	_ = os.RemoveAll(s.dir)
}

// report prints the failures, one line each, and the whole of each into a file.
func report(t *testing.T, failed []failure) {
	if len(failed) == 0 {
		return
	}
	path := filepath.Join(os.TempDir(), "labctl-hostile.log")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, x := range failed {
		t.Errorf("%s: %v", x, x.wrong)
		fmt.Fprintf(f, "=== %s: %v\n%s\n\n", x, x.wrong, x.run)
	}
	t.Logf("all of it is in %s", path)
}
