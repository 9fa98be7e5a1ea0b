package view

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/width"

	"github.com/labctl/labctl/internal/untrusted"
)

// clean makes text of the world's (a command's output, a resource's message) safe to print. Lines stay.
func clean(s string) string { return untrusted.Text(s) }

// oneLine is clean, with every run of white space made one space.
func oneLine(s string) string { return untrusted.Line(s) }

// columns returns how many of a terminal's columns s takes. It must be clean, but for what paint puts in.
func columns(s string) int {
	n, painting := 0, false
	for _, r := range s {
		switch {
		case r == '\x1b':
			painting = true
		case painting:
			painting = r != 'm'
		default:
			n += runeColumns(r)
		}
	}
	return n
}

func runeColumns(r rune) int {
	switch {
	case r < 0x300: // nothing below is wide or combining
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
		return 2
	}
	return 1
}

// truncate cuts s to at most max columns, between two words where that leaves at least half; it ends with an
// ellipsis when anything is missing.
func truncate(s string, max int) string {
	if columns(s) <= max {
		return s
	}
	if max < 1 {
		return ""
	}
	n := 0
	for i, r := range s {
		if n += runeColumns(r); n > max-1 {
			if space := strings.LastIndexByte(s[:i], ' '); s[i] != ' ' && space >= i/2 {
				i = space + 1
			}
			return s[:i] + "…"
		}
	}
	return s
}

// pad fills s up with spaces to n columns.
func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-columns(s))) }

// took writes how long something took: 0.3s, 9.9s, 24s, 2m05s, 1h01m.
func took(d time.Duration) string {
	if d < 10*time.Second-50*time.Millisecond {
		return fmt.Sprintf("%.1fs", max(d, 0).Seconds())
	}
	return running(d.Round(time.Second))
}

// running writes how long something has been going on, in whole seconds that have passed.
func running(d time.Duration) string {
	s := int(max(d, 0) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	}
	return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
}

// progress writes "12s of ~25s", and without the second part when nobody knows how long it takes. An estimate
// that has been passed is said to be one.
func progress(since, expect time.Duration) string {
	if expect <= 0 {
		return running(since)
	}
	usual := running(expect.Round(time.Second))
	if since >= expect+time.Second {
		return running(since) + ", longer than the usual ~" + usual
	}
	return running(since) + " of ~" + usual
}
