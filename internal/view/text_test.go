package view

import (
	"testing"
	"time"
)

func TestTruncateCountsColumns(t *testing.T) {
	for _, c := range []struct {
		in   string
		max  int
		want string
	}{
		{"hello", 5, "hello"},
		{"hello", 4, "hel…"},
		{"hello", 1, "…"},
		{"hello", 0, ""},
		{"hello", -3, ""},
		{"世界地図", 8, "世界地図"},
		{"世界地図", 7, "世界地…"},
		{"世界地図", 6, "世界…"},
		{"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"},
		{"e\u0301e\u0301e\u0301", 2, "e\u0301…"},
	} {
		if got := truncate(c.in, c.max); got != c.want || columns(got) > max(c.max, 0) {
			t.Errorf("truncate(%q, %d) = %q; want %q", c.in, c.max, got, c.want)
		}
	}
}

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

func TestDurations(t *testing.T) {
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
		if got := took(c.d); got != c.took {
			t.Errorf("took(%v) = %s; want %s", c.d, got, c.took)
		}
		if got := running(c.d); got != c.running {
			t.Errorf("running(%v) = %s; want %s", c.d, got, c.running)
		}
	}
	for since, want := range map[time.Duration]string{
		12 * time.Second: "12s of ~25s", 25900 * time.Millisecond: "25s of ~25s", 26 * time.Second: "26s, longer than the usual ~25s",
	} {
		if got := progress(since, 25*time.Second); got != want {
			t.Errorf("progress = %q; want %q", got, want)
		}
	}
}
