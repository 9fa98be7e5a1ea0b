package count

import (
	"testing"
	"time"
)

func TestElapsedAndRunning(t *testing.T) {
	for _, c := range []struct {
		d             time.Duration
		took, running string
	}{
		{-time.Second, "0.0s", "0s"},
		{0, "0.0s", "0s"},
		{340 * time.Millisecond, "0.3s", "0s"},
		{9940 * time.Millisecond, "9.9s", "9s"},
		{9960 * time.Millisecond, "10s", "9s"},
		{24600 * time.Millisecond, "25s", "24s"},
		{59900 * time.Millisecond, "1m00s", "59s"},
		{125 * time.Second, "2m05s", "2m05s"},
		{61 * time.Minute, "1h01m", "1h01m"},
		{50 * time.Hour, "50h00m", "50h00m"},
	} {
		if got := Elapsed(c.d); got != c.took {
			t.Errorf("Elapsed(%v) = %s; want %s", c.d, got, c.took)
		}
		if got := Running(c.d); got != c.running {
			t.Errorf("Running(%v) = %s; want %s", c.d, got, c.running)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 500 * time.Millisecond: "500ms", 30 * time.Second: "30s", 90 * time.Second: "1m30s", 10 * time.Minute: "10m",
		72 * time.Hour: "72h", time.Hour + 5*time.Minute: "1h5m", time.Hour + time.Second: "1h0m1s", -2 * time.Hour: "-2h",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%d) = %s; want %s", d, got, want)
		}
	}
}
