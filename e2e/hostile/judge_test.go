//go:build e2e

package hostile

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// logged is how the loggers of client-go and of the AWS SDK begin a line.
var logged = regexp.MustCompile(`(?m)^([EWIF]\d{4} \d\d:|SDK \d{4}/|\d{4}/\d\d/\d\d \d\d:).*$`)

// judge lists what is wrong with a run, whatever the far side did: nothing hangs, panics, floods or obeys.
func (s *sandbox) judge(r *run, before map[string]string, codes []int) (wrong []string) {
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	switch {
	case r.late:
		bad("it does not end: stopped after %s", r.took.Round(100_000_000))
	case !slices.Contains(codes, r.code):
		bad("exit code %d, want one of %v", r.code, codes)
	}
	if r.memory > mostMemory {
		bad("it held %d MB", r.memory>>20)
	}
	if r.flooded {
		bad("it printed more than 4 MB")
	}
	all := r.stdout + r.stderr
	if !r.late && (strings.Contains(all, "panic:") || strings.Contains(all, "goroutine ") || strings.Contains(all, "fatal error:")) {
		bad("it panicked")
	}
	if line := logged.FindString(r.stderr); line != "" {
		bad("a library logged by itself: %s", line)
	}
	if at := control(all); at != "" {
		bad("it printed %s", at)
	}
	if _, err := os.Lstat(s.path(canary)); err == nil {
		bad("it ran a program that the far side named")
	}
	after, err := s.snapshot()
	if err != nil {
		bad("looking at the files: %v", err)
	}
	for _, c := range changes(before, after) {
		bad("a file outside the lab's own: %s", c)
	}
	return wrong
}

// control finds what a terminal would obey: C0 but for newline and tab, DEL, C1 as characters and as raw bytes,
// and what turns the direction of writing.
func control(text string) string {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		obeyed := r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r <= 0x9f || r == 0x061c || r == 0x200e || r == 0x200f ||
			r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == utf8.RuneError && size == 1
		if obeyed {
			from, to := max(0, i-60), min(len(text), i+60)
			return fmt.Sprintf("the control code %q in %q", text[i:i+size], text[from:to])
		}
		i += size
	}
	return ""
}
