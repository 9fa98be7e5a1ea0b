package state

import (
	"os"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/clierr"
)

func TestHintsAreShownOnceASeeding(t *testing.T) {
	l := Home{Dir: t.TempDir()}.Lab("day10")
	seeded := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	expect := func(when string, scenario string, at time.Time, want int) {
		t.Helper()
		shown, err := l.ShownHints(scenario, at)
		if err != nil || len(shown) != want {
			t.Errorf("%s: %v, %v; want %d", when, shown, err, want)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	expect("at first", "a", seeded, 0)
	must(l.ForgetHints("a"))
	if _, err := os.Stat(l.Path(HintsFile)); err == nil {
		t.Error("to forget what was never shown made a file")
	}
	must(l.RememberHints("a", seeded, "one"))
	must(l.RememberHints("a", seeded, "one", "two"))
	must(l.RememberHints("b", time.Time{}, "one"))
	expect("two shown", "a", seeded, 2)
	expect("another scenario", "b", time.Time{}, 1)
	expect("seeded anew", "a", seeded.Add(time.Second), 0)
	must(l.RememberHints("a", seeded.Add(time.Second), "two"))
	expect("shown after that", "a", seeded.Add(time.Second), 1)
	must(l.ForgetHints("b"))
	expect("reset", "b", time.Time{}, 0)
	expect("reset of another", "a", seeded.Add(time.Second), 1)

	for _, damaged := range []string{"", "{", "null"} {
		must(os.WriteFile(l.Path(HintsFile), []byte(damaged), 0o600))
		if _, err := l.ShownHints("a", seeded); clierr.NextOf(err) == "" {
			t.Errorf("damaged: %v", err)
		}
		must(l.ForgetHints("a"))
		expect("after a reset", "a", seeded, 0)
	}
}
