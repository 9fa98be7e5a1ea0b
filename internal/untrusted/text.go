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
	var out strings.Builder
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	for _, r := range s {
		switch {
		case r == '\n', r == '\r':
			out.WriteByte('\n')
		case r == '\t':
			out.WriteByte(' ')
		case !acts(r):
			out.WriteRune(r)
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

// Line is Text on one line: every run of white space is one space.
func Line(s string) string { return strings.Join(strings.Fields(Text(s)), " ") }

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
