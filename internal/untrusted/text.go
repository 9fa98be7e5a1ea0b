// Package untrusted is for what comes from outside: what hosts, nodes, containers, API servers and files
// say. It makes such text safe to show and keeps it to a size. It does not know where the text is from,
// and it decides nothing by it.
package untrusted

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text makes s safe to write to a terminal. What would act on a terminal or hide there is written as an
// escape, so that a reader sees that it was sent: control codes (C0, C1, DEL), marks that change the
// direction of writing, characters that take no room and join nothing. Bytes that are not UTF-8 become
// U+FFFD. Lines stay, whichever way they ended; a tab is a space.
func Text(s string) string {
	if !strings.ContainsFunc(s, acts) && utf8.ValidString(s) {
		return s
	}
	s = lineEnds.Replace(s)
	return escape(s, acts)
}

// Line is Text on one line: every run of white space is one space.
func Line(s string) string { return strings.Join(strings.Fields(Text(s)), " ") }

// Exact is Text for what somebody is to read before it is run or put right: the lines stay, and everything else
// that is no character with a shape of its own, or the space, is an escape, as tabs, joiners and other spaces are.
func Exact(s string) string {
	return escape(s, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) })
}

// lineEnds makes every end of a line a newline, and a tab a space.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\t", " ")

// escape writes the characters that hidden tells of as Go does in a string.
func escape(s string, hidden func(rune) bool) string {
	var out strings.Builder
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case !hidden(r):
			out.WriteRune(r)
		case r == '\t':
			out.WriteString(`\t`)
		case r < 0x80:
			fmt.Fprintf(&out, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			fmt.Fprintf(&out, `\U%08x`, r)
		}
	}
	return out.String()
}

// acts tells of a character that a terminal does something with other than to show it. Joiners are none:
// some scripts cannot be written without them.
func acts(r rune) bool {
	const softHyphen, wordJoiner, lastOperator, byteOrder = '\u00ad', '\u2060', '\u2064', '\ufeff'
	switch {
	case r == '\n':
		return false
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), unicode.In(r, unicode.Zl, unicode.Zp):
		return true
	case r >= wordJoiner && r <= lastOperator, r == softHyphen, r == '\u200b', r == byteOrder:
		return true
	}
	return r >= 0xE0000 && r <= 0xE007F // tags: a whole text can be hidden in them
}
