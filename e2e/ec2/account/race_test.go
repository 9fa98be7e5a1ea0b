//go:build e2e

package account_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/labctl/labctl/e2e/ec2/faultproxy"
	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/provision/ec2"
)

// TestFourAtOnce: of four `up` from four directories, which no lock keeps apart, one instance comes, and
// none is terminated on the way.
func TestFourAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		lag  time.Duration
		keys []string
		full int // how many launches find no capacity
	}{
		"one key":                  {keys: []string{keyA, keyA, keyA, keyA}},
		"one key, lag":             {keys: []string{keyA, keyA, keyA, keyA}, lag: 1500 * time.Millisecond},
		"keys of their own":        {keys: []string{keyA, keyB, keyA, keyB}},
		"keys of their own, lag":   {keys: []string{keyA, keyB, keyA, keyB}, lag: 1500 * time.Millisecond},
		"one key, hardly capacity": {keys: []string{keyA, keyA, keyA, keyA}, full: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := open(t, faultproxy.Options{Lag: c.lag, Pending: 30 * time.Millisecond, ShuttingDown: 30 * time.Millisecond})
			a.Timing.ConsistencyWindow = c.lag + 300*time.Millisecond
			if c.full > 0 {
				a.proxy.Inject(faultproxy.Fault{Kind: faultproxy.NoCapacity, Action: "RunInstances", Times: c.full})
			}
			errs := make([]error, len(c.keys))
			var wg sync.WaitGroup
			for i, key := range c.keys {
				one := a.setup
				one.Home, one.Key = t.TempDir(), key
				wg.Go(func() { errs[i] = one.do(t.Context(), "up", event.Discard) })
			}
			wg.Wait()
			kept := a.one()
			well := 0
			for i, err := range errs {
				switch {
				case err == nil:
					well++
				case clierr.ClassOf(err) != clierr.Refused || c.keys[i] == c.keys[0] && slices.Equal(c.keys, []string{keyA, keyA, keyA, keyA}):
					t.Errorf("up %d: %v", i, err)
				}
			}
			if well == 0 {
				t.Error("none of the four succeeded")
			}
			// Where candidates differ, two launches may overlap; the later one is ended by rule.
			if n := slices.Index(a.proxy.Mutating(), "TerminateInstances"); n >= 0 && c.full == 0 {
				t.Errorf("an instance was terminated: %v", a.proxy.Mutating())
			}
			t.Logf("%d of 4 succeeded, the others were refused; %s stays", well, *kept.InstanceId)
			a.down()
			a.none()
		})
	}
}

// TestUpAgainstDown: whoever comes last, the next `up` leaves one and the next `down` none.
func TestUpAgainstDown(t *testing.T) {
	for _, lag := range lags {
		t.Run(lag.String(), func(t *testing.T) {
			t.Parallel()
			a := open(t, faultproxy.Options{Lag: lag, Pending: 20 * time.Millisecond, ShuttingDown: 40 * time.Millisecond})
			a.Timing.ConsistencyWindow = lag + 300*time.Millisecond
			rounds := 4
			for round := range rounds {
				if round%2 == 1 {
					a.up()
				}
				other := a.setup
				other.Home = t.TempDir()
				var wg sync.WaitGroup
				wg.Go(func() {
					// It may be told that its host has ended; it may not leave two.
					if err := other.do(t.Context(), "up", event.Discard); err != nil {
						t.Logf("round %d: up: %v", round, err)
					}
				})
				wg.Go(func() {
					if err := a.setup.do(context.WithoutCancel(t.Context()), "down", event.Discard); err != nil {
						t.Logf("round %d: down: %v", round, err)
					}
				})
				wg.Wait()
				if n := len(a.instances()); n > 1 {
					t.Fatalf("round %d left %d instances", round, n)
				}
				a.up()
				a.one()
				a.down()
				a.none()
			}
			t.Logf("%d rounds", rounds)
		})
	}
}

// TestReplacedMeanwhile: a yes is for the host that was asked about, not for one that somebody has put in its place
// while the question was open.
func TestReplacedMeanwhile(t *testing.T) {
	t.Parallel()
	a := open(t, faultproxy.Options{})
	a.up()
	other := a.setup
	other.Home = t.TempDir()
	mine := a.setup
	mine.Key, mine.Home = keyB, t.TempDir()
	h := got(mine.host(t.Context())).or(t)
	asked := 0
	h.Confirm = func(context.Context, ec2.Question) (bool, error) {
		asked++
		if asked > 1 {
			return false, nil
		}
		if err := other.do(t.Context(), "down", event.Discard); err != nil {
			t.Error(err)
		}
		if err := other.do(t.Context(), "up", event.Discard); err != nil {
			t.Error(err)
		}
		return true, nil
	}
	err := h.Apply(t.Context(), event.Discard)
	if asked != 2 || clierr.ClassOf(err) != clierr.Refused {
		t.Errorf("asked %d times, then %v; want it asked about the new host too, and refused", asked, err)
	}
	a.one()
	if err := other.do(t.Context(), "down", event.Discard); err != nil {
		t.Fatal(err)
	}
}
