package text

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestWidth(t *testing.T) {
	for s, want := range map[string]int{
		"": 0, "abc": 3, "\x1b[1;31mabc\x1b[0m": 3, "世界": 4, "größe": 5, "e\u0301": 1, "👩‍🔬": 2, "🇩🇪": 2, "👍🏽": 2, "❤️": 2,
		"✓·…●": 4, "ｶﾅ": 2, "\u200d": 0,
	} {
		if got := Width(s); got != want {
			t.Errorf("Width(%q) = %d; want %d", s, got, want)
		}
	}
}

// hard are words that are hard to lay out.
var hard = strings.Fields("a to the labctl/node:v1.35.4 --var multi-container 世界地図 👩‍🔬👩‍🔬 🇩🇪 e\u0301te\u0301 \x1b[2mdim\x1b[0m `labctl_up_--local` " +
	"https://example.org/a-path?with=a&query न्दी ✓ · - 1. x\u00a0y -- ❤️")

// Whatever the words and the width: no word is lost or broken, and only a word that stands where the next line would
// begin is wider than the terminal.
func TestWrapOfAnyWords(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		var picked []string
		for range 1 + rnd.IntN(12) {
			picked = append(picked, hard[rnd.IntN(len(hard))])
		}
		line := strings.Repeat(" ", rnd.IntN(5)) + strings.Join(picked, strings.Repeat(" ", 1+rnd.IntN(2)))
		width, indent := 3+rnd.IntN(60), rnd.IntN(30)
		for name, got := range map[string]string{"Wrap": Wrap(line, width, indent), "WrapLines": WrapLines(line, width, indent)} {
			hang := indent
			if name == "WrapLines" {
				hang += Indent(line)
			}
			if got, want := strings.Join(strings.Fields(got), " "), strings.Join(strings.Fields(line), " "); got != want {
				t.Fatalf("%s(%q, %d, %d) has the words %q", name, line, width, indent, got)
			}
			for _, l := range strings.Split(got, "\n") {
				if f := strings.Fields(l); Width(l) > width && len(f) > 1 && Width(l)-Width(f[len(f)-1]) > hang {
					t.Fatalf("%s(%q, %d, %d) has a line of %d columns:\n%s", name, line, width, indent, Width(l), got)
				}
			}
		}
		for _, l := range strings.Split(WrapWithin(line, width), "\n") {
			if Width(l) > width {
				t.Fatalf("WrapWithin(%q, %d) has the line %q", line, width, l)
			}
		}
		short := Shorten(line, width)
		if Width(short) > width || len(short) > 4*width+len("…") || short != line && !strings.HasPrefix(Strip(line), strings.TrimSuffix(Strip(short), "…")) {
			t.Fatalf("Shorten(%q, %d) = %q", line, width, short)
		}
	}
}

func TestWrapLinesUnderAnEntry(t *testing.T) {
	in := "Do this:\n1. one two three four five\n  - six seven eight nine ten\n    eleven twelve thirteen fourteen"
	want := "Do this:\n1. one two three\n   four five\n  - six seven eight\n    nine ten\n    eleven twelve\n    thirteen\n    fourteen"
	if got := WrapLines(in, 20, 0); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWrapWithin(t *testing.T) {
	for in, want := range map[string]string{
		"one two three":                  "one two three",
		"see labctl/node:v1.35.4 there":  "see\nlabctl/node:v1.\n35.4\nthere",
		"arn:aws:iam::123456789012:user": "arn:aws:iam::\n123456789012:\nuser",
		"xxxxxxxxxxxxxxxxxxxx yy":        "xxxxxxxxxxxxxxx\nxxxxx\nyy",
	} {
		if got := WrapWithin(in, 15); got != want {
			t.Errorf("WrapWithin(%q) =\n%s\nwant\n%s", in, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		in, want string
		from, to int
	}{{"0123456789", "0123456789", 0, 10}, {"0123456789", "012…", 0, 4}, {"0123456789", "…34…", 2, 6}, {"0123456789", "…789", 6, 10}, {"世界地図", "世…", 0, 4}} {
		if got := Cut(c.in, c.from, c.to); got != c.want {
			t.Errorf("Cut(%q, %d, %d) = %q; want %q", c.in, c.from, c.to, got, c.want)
		}
	}
}

// What takes no room is cut as well: a character with thousands of marks on it.
func TestShortenBoundsBytes(t *testing.T) {
	if got := Shorten("e"+strings.Repeat("\u0301", 5000)+"\x1b]0;"+strings.Repeat("x", 5000), 10); len(got) > 4*10+len("…") {
		t.Errorf("%d bytes", len(got))
	}
}

func TestShortenCountsColumns(t *testing.T) {
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
		if got := Shorten(c.in, c.max); got != c.want || Width(got) > max(c.max, 0) {
			t.Errorf("Shorten(%q, %d) = %q; want %q", c.in, c.max, got, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		in    string
		width int
		hang  int
		want  string
	}{
		{"one two three", 0, 0, "one two three"},
		{"one two three", 13, 0, "one two three"},
		{"one two three", 12, 0, "one two\nthree"},
		{"  one two three four five six", 20, 4, "  one two three four\n    five six"},
		{"a-word-that-is-longer b", 10, 2, "a-word-that-is-longer\n  b"},
		{"世界 地図 世界 地図 世界", 15, 0, "世界 地図 世界\n地図 世界"},
		{"run `labctl up x.hcl` again now", 24, 0, "run `labctl up x.hcl`\nagain now"},
		{"run it: `labctl up x.hcl`.", 20, 0, "run it:\n`labctl up x.hcl`."},
		{"a `command that is far longer than all of it` b", 20, 0, "a `command that is\nfar longer than all\nof it` b"},
		{"          deep inside", 12, 0, "   deep\ninside"},
		{"  $ kubectl set image pod/x c=nginx:1.25", 20, 4, "  $ kubectl set image pod/x c=nginx:1.25"},
	} {
		if got := Wrap(c.in, c.width, c.hang); got != c.want {
			t.Errorf("Wrap(%q, %d, %d) =\n%s\nwant\n%s", c.in, c.width, c.hang, got, c.want)
		}
	}
}
