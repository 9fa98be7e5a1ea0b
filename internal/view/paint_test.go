package view

import (
	"testing"
	"time"
)

func TestFitKeepsToTheWidth(t *testing.T) {
	pieces := []piece{{green, "ab"}, {normal, "cd"}, {dim, "ef"}}
	for width, want := range []string{"", "…", "a…", "ab…", "abc…", "abcd…", "abcdef", "abcdef"} {
		if got := painter(false).fit(width, pieces...); got != want {
			t.Errorf("in %d columns: %q; want %q", width, got, want)
		}
	}
	if got, want := painter(true).fit(3, pieces...), "\x1b[32mab\x1b[0m…"; got != want {
		t.Errorf("in colour: %q; want %q", got, want)
	}
}

func TestAnEstimateThatHasPassed(t *testing.T) {
	for since, want := range map[time.Duration]string{
		12 * time.Second: "12s of ~25s", 25900 * time.Millisecond: "25s of ~25s", 26 * time.Second: "26s, longer than the usual ~25s",
	} {
		if got := progress(since, 25*time.Second); got != want {
			t.Errorf("progress = %q; want %q", got, want)
		}
	}
}
