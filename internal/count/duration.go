package count

import (
	"fmt"
	"strings"
	"time"
)

// Duration writes a time that somebody has set, exactly and without zeros behind it: 500ms, 30s, 1m30s, 10m, 72h.
// Round it first where it was measured.
func Duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Elapsed writes how long something took, to a tenth of a second where that is less than ten seconds: 0.3s, 9.9s,
// 24s, 2m05s, 1h01m. A negative time is none.
func Elapsed(d time.Duration) string {
	if d < 10*time.Second-50*time.Millisecond {
		return fmt.Sprintf("%.1fs", max(d, 0).Seconds())
	}
	return Running(d.Round(time.Second))
}

// Running writes how long something has been going on, in whole seconds that have passed: 0s, 24s, 2m05s, 1h01m.
// A negative time is none.
func Running(d time.Duration) string {
	s := int(max(d, 0) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	}
	return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
}
