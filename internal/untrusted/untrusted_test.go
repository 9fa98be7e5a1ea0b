package untrusted

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/labctl/labctl/internal/clierr"
)

func TestTextShowsWhatWouldAct(t *testing.T) {
	for in, want := range map[string]string{
		"plain":               "plain",
		"a\x1b[2Jb\rc\x07":    `a\x1b[2Jb` + "\n" + `c\x07`,
		"tab\there":           "tab here",
		"two\nlines":          "two\nlines",
		"two\r\nlines\r\n":    "two\nlines\n",
		"\u009b31m c1":        `\u009b31m c1`,
		"\x7f":                `\x7f`,
		"\u202eright to left": `\u202eright to left`,
		"\u2028line":          `\u2028line`,
		"zero\u200bwidth":     `zero\u200bwidth`,
		"\U000e0041":          `\U000e0041`,
		"bad \xff\xfe byte":   "bad \uFFFD byte",
		"\x9b31m":             "\uFFFD31m", // C1 as one byte
		"größe 世界 ✓ 👩‍🔬":      "größe 世界 ✓ 👩‍🔬",
	} {
		if got := Text(in); got != want {
			t.Errorf("Text(%q) = %q; want %q", in, got, want)
		}
	}
	if got := Line("  a\n\n b\t\tc\r\nd "); got != "a b c d" {
		t.Errorf("Line gave %q", got)
	}
}

func TestExactHidesNothing(t *testing.T) {
	for in, want := range map[string]string{
		"kubectl get pods":           "kubectl get pods",
		"rm -rf ~ #\x1b[2K\rkubectl": `rm -rf ~ #\x1b[2K\x0dkubectl`,
		"a\nb\tc":                    "a\nb\\tc",
		"\u202eevil\u200b\ufeff":     `\u202eevil\u200b\ufeff`,
		"r\u200dm\u00a0-rf":          `r\u200dm\u00a0-rf`,
		"\u009b2J\x07\xff":           `\u009b2J\x07` + "\uFFFD",
		"\U000e0041":                 `\U000e0041`,
		"über, 日本":                   "über, 日本",
	} {
		if got := Exact(in); got != want {
			t.Errorf("Exact(%q) = %q; want %q", in, got, want)
		}
	}
}

func TestJSONEscapesWithoutChangingAValue(t *testing.T) {
	value := "\x1b[31m \x7f \u009b31m \u202e \u2028 \U000e0041 größe 👩‍🔬"
	var out bytes.Buffer
	enc := json.NewEncoder(JSONWriter(&out))
	enc.SetIndent("", "  ")
	if err := enc.Encode(map[string]string{value: value}); err != nil {
		t.Fatal(err)
	}
	for _, r := range out.String() {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r >= 0xE0000) {
			t.Errorf("%U is in %q", r, out.String())
		}
	}
	var back map[string]string
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back[value] != value {
		t.Errorf("read back %q, %v", back, err)
	}
	if !strings.Contains(out.String(), "größe") {
		t.Errorf("it escapes what is harmless: %s", out.String())
	}
}

func TestBufferEndsAtItsLimit(t *testing.T) {
	b := NewBuffer(5, "the output of x")
	if n, err := b.Write([]byte("abc")); n != 3 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	n, err := b.Write([]byte("defg"))
	if n != 2 || clierr.ClassOf(err) != clierr.Inconclusive || !strings.Contains(err.Error(), "the output of x is longer than 5 bytes") {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := b.Write([]byte("h")); n != 0 || err == nil || b.String() != "abcde" {
		t.Errorf("%d, %v, holds %q", n, err, b.String())
	}
}

func TestReaderSaysWhenItEndsEarly(t *testing.T) {
	for in, fits := range map[string]bool{"": true, "abcd": true, "abcde": true, "abcdef": false, "abcdefgh": false} {
		got, err := io.ReadAll(Reader(strings.NewReader(in), 5, "x"))
		if (err == nil) != fits || string(got) != in[:min(len(in), 5)] {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	boom := errors.New("boom")
	if _, err := io.ReadAll(Reader(io.MultiReader(strings.NewReader("a"), failing{boom}), 5, "x")); !errors.Is(err, boom) {
		t.Errorf("%v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestLinesOfAnyLength(t *testing.T) {
	var got []string
	w := Lines(8, func(line string) { got = append(got, line) })
	for _, part := range []string{"on", "e\ntwo\r\n\n", strings.Repeat("x", 100), "yyy\nlast"} {
		if n, err := io.WriteString(w, part); n != len(part) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if want := []string{"one", "two", "", "xxxxxxxx"}; !slices.Equal(got, want) {
		t.Errorf("%q; want %q", got, want)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	tail := NewTail(8)
	for _, part := range []string{"abc", "", "defg", strings.Repeat("x", 100), "12345\n"} {
		_, _ = io.WriteString(tail, part)
	}
	if got := tail.String(); got != "xx12345" {
		t.Errorf("%q", got)
	}
}

func TestWriterEndsAtItsLimit(t *testing.T) {
	var out bytes.Buffer
	w := Writer(&out, 5, "x")
	_, err1 := io.WriteString(w, "abcde")
	_, err2 := io.WriteString(w, "f")
	if err1 != nil || clierr.ClassOf(err2) != clierr.Inconclusive || out.String() != "abcde" {
		t.Errorf("%v, %v, %q", err1, err2, out.String())
	}
}
