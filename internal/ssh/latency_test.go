//go:build e2e

package ssh

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/command"
)

// Over a distance a command costs what its round trips cost: one. What the others take depends on how busy
// the machine is that starts the shells, so that only the fastest can be held to it.
func TestRoundTripsOfACommand(t *testing.T) {
	const roundTrip = 100 * time.Millisecond
	s := startServer(t)
	p := startProxy(t, s.address, roundTrip/2)
	begin := time.Now()
	c := s.dial(t, p.use)
	t.Logf("connecting: %.1f round trips", trips(time.Since(begin), roundTrip))
	begin = time.Now()
	run(t, c, "true")
	t.Logf("the first command: %.1f", trips(time.Since(begin), roundTrip))
	for name, stdin := range map[string]string{"without stdin": "", "with stdin": "some input"} {
		var times []time.Duration
		for range 25 {
			var out bytes.Buffer
			cmd := command.Command{Argv: []string{"cat"}, Stdout: &out}
			if stdin != "" {
				cmd.Stdin = strings.NewReader(stdin)
			}
			begin := time.Now()
			if err := c.Run(background(t, time.Minute), cmd); err != nil || out.String() != stdin {
				t.Fatalf("%q, %v", &out, err)
			}
			times = append(times, time.Since(begin))
		}
		slices.Sort(times)
		best, median := trips(times[0], roundTrip), trips(times[len(times)/2], roundTrip)
		t.Logf("a command %s, one after the other: best %.1f, median %.1f, worst %.1f", name, best, median, trips(times[len(times)-1], roundTrip))
		if best < 0.95 {
			t.Errorf("%.2f round trips cannot be: the proxy does not delay", best)
		}
		if best > 1.9 {
			t.Errorf("the fastest command %s took %.1f round trips: it is one no longer", name, best)
		}
	}
	if p.served != 1 {
		t.Errorf("%d connections", p.served)
	}
}

func trips(d, roundTrip time.Duration) float64 { return float64(d) / float64(roundTrip) }
