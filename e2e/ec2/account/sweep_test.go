//go:build e2e

package account_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/labctl/labctl/e2e/ec2/faultproxy"
	"github.com/labctl/labctl/e2e/sample"
)

// campaign is one kind of run that is struck by faults.
type campaign struct {
	name string
	// before brings the account to where the run begins.
	before func(*account)
	act    string // what is struck
	// after happens between the strike and what follows.
	after func(*account)
	calls int // how many changing calls the act makes
}

// campaigns are the runs that the sweep strikes at each of their changing calls. "Lost" is a machine
// that knows nothing but the credentials and the lab's name.
func campaigns() []campaign {
	none := func(*account) {}
	lose := func(a *account) {
		if err := a.lose(); err != nil {
			a.Fatal(err)
		}
	}
	up := func(a *account) { a.up() }
	return []campaign{
		{"up", none, "up", none, 3},
		{"down", up, "down", none, 2},
		{"up, then the state is lost", none, "up", lose, 3},
		// Another key too, so that this up replaces what is there: the longest run of all.
		{"up with the state lost", func(a *account) { a.up(); lose(a); a.Key, a.Replace = keyB, true }, "up", none, 5},
		{"down with the state lost", func(a *account) { a.up(); lose(a) }, "down", lose, 2},
	}
}

// strikes are what happens to a call. Those that go on for all later calls are what retries do not heal.
var strikes = []struct {
	kind  faultproxy.Kind
	times int
}{
	{faultproxy.KillBefore, 1}, {faultproxy.KillAfter, 1},
	{faultproxy.DropAfter, 1}, {faultproxy.DropAfter, -1},
	{faultproxy.ErrorAfter, 1}, {faultproxy.ErrorAfter, -1},
}

// lags are how far AWS's answers are behind.
var lags = []time.Duration{0, 1500 * time.Millisecond}

// follows are what a person may do next.
var follows = []string{"up", "down"}

// tally counts the cases of the sweep.
type tally struct {
	mu     sync.Mutex
	cases  int
	byName map[string]int
}

func (c *tally) count(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cases++
	c.byName[name]++
}

// TestSweep strikes every changing call of every run in every way. Whatever happened, the next `up` leaves
// exactly one instance, and the next `down` nothing.
func TestSweep(t *testing.T) {
	whole := sample.Whole()
	counts := &tally{byName: map[string]int{}}
	t.Run("cases", func(t *testing.T) {
		n := 0
		for _, c := range campaigns() {
			for _, s := range strikes {
				for _, lag := range lags {
					for _, follow := range follows {
						n++
						// The cross-section takes one point of each run in each way, and each of lag and
						// follow-up with each of them in turn.
						point := 0
						if !whole {
							if (n+n/4)%4 != 0 {
								continue
							}
							point = 1 + n/2%c.calls
						}
						t.Run(fmt.Sprintf("%s/%s %d/lag %s/then %s", c.name, s.kind, s.times, lag, follow), func(t *testing.T) {
							t.Parallel()
							sweep(t, c, faultproxy.Fault{Kind: s.kind, Times: s.times}, lag, follow, point, counts)
						})
					}
				}
			}
		}
	})
	for name, n := range counts.byName {
		t.Logf("%-30s %4d", name, n)
	}
	t.Logf("%d cases: every next up left one instance, every next down none", counts.cases)
	if counts.cases == 0 && !t.Failed() {
		t.Error("no case ran")
	}
}

// sweep strikes at one point, or at each.
func sweep(t *testing.T, c campaign, f faultproxy.Fault, lag time.Duration, follow string, only int, counts *tally) {
	for point := 1; point <= c.calls; point++ {
		if only > 0 && point != only {
			continue
		}
		f.After = point - 1
		// A test of its own for each, so that the account is compared after each.
		t.Run(fmt.Sprintf("call %d", point), func(t *testing.T) {
			if !strike(t, c, f, lag, follow) {
				t.Errorf("the run made fewer than %d changing calls", point)
			}
			counts.count(c.name)
		})
	}
}

// strike does one case and tells whether the run got as far as the point.
func strike(t *testing.T, c campaign, f faultproxy.Fault, lag time.Duration, follow string) bool {
	a := open(t, faultproxy.Options{Lag: lag, Pending: 30 * time.Millisecond, Stopping: 30 * time.Millisecond, ShuttingDown: 60 * time.Millisecond})
	a.Timing.ConsistencyWindow = lag + 300*time.Millisecond
	c.before(a)
	a.heal()
	r := a.strikeChild(c.act, f)
	hit := len(a.proxy.Mutating()) > f.After
	killed := f.Kind == faultproxy.KillBefore || f.Kind == faultproxy.KillAfter
	// A repetition or two are the transport's; more would be a loop.
	if well := a.answeredWell(); f.Times == 1 && !killed && well > 2*c.calls {
		t.Errorf("the run made %d changing calls that went well, and %d would have done:\n%s", well, c.calls, a.lastCalls())
	}
	if hit && killed && r.cmd.ProcessState.Exited() {
		t.Fatalf("the %s was to be killed, and ended with %v: %s", c.act, r.err, r.out)
	}
	if hit && !killed && f.Times == 1 && r.err != nil {
		t.Errorf("one fault, and the %s did not get over it: %s", c.act, r.out)
	}
	a.heal()
	c.after(a)
	if follow == "up" {
		a.up()
		a.one()
		if n := len(a.groups()); n != 1 {
			t.Errorf("%d security groups after the next up; want one", n)
		}
	}
	a.down()
	a.none()
	return hit
}

// answeredWell counts the changing calls whose success the run was told of.
func (a *account) answeredWell() int {
	n := 0
	for _, c := range a.proxy.Calls() {
		if c.Mutating && c.Status == http.StatusOK {
			n++
		}
	}
	return n
}

// process is a child that the proxy can kill.
type process struct {
	cmd  *exec.Cmd
	out  *bytes.Buffer
	done chan struct{}
	err  error // how it ended, once done
}

// strikeChild runs an act in a child process with faults, and returns when it has ended.
func (a *account) strikeChild(act string, faults ...faultproxy.Fault) *process {
	a.Helper()
	r := &process{done: make(chan struct{})}
	started := make(chan struct{})
	a.proxy.Set(func(o *faultproxy.Options) {
		o.Kill = func() {
			<-started
			r.cmd.Process.Kill()
			<-r.done
		}
	})
	a.proxy.Inject(faults...)
	var err error
	if r.cmd, r.out, err = a.spawn(act); err != nil {
		a.Fatal(err)
	}
	go func() { r.err = r.cmd.Wait(); close(r.done) }()
	close(started)
	<-r.done
	return r
}
