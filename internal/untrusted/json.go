package untrusted

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON escapes, in valid JSON, what Text would not leave as it is: encoding/json leaves DEL, C1 and the
// marks of direction in its strings, and a terminal acts on them. The values stay the same.
func JSON(text []byte) []byte {
	if !bytes.ContainsFunc(text, escapes) {
		return text
	}
	var out bytes.Buffer
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case !escapes(r):
			out.Write(text[:size])
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
		text = text[size:]
	}
	return out.Bytes()
}

// escapes tells of a character that JSON has in strings alone and that a terminal acts on. White space
// between the values and what JSON itself escapes is none.
func escapes(r rune) bool { return r >= 0x7f && acts(r) }

// JSONWriter hands on what is written to it as JSON does. Each Write has to be of whole characters, as an
// encoder's is.
func JSONWriter(w io.Writer) io.Writer { return jsonWriter{w} }

type jsonWriter struct{ w io.Writer }

func (j jsonWriter) Write(p []byte) (int, error) {
	if _, err := j.w.Write(JSON(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}
