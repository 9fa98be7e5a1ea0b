package labfile

import (
	"bytes"
	"regexp"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// maxChain bounds how many operators one expression may have. The parser and the evaluator recurse
// once per operator, and a stack that is used up cannot be recovered from.
const maxChain = 1000

// maxLines bounds the lines of one text, such as a heredoc or a manifest. The parser joins them one
// by one, which takes time in the square of their number.
const maxLines = 20_000

// hugeNumber matches numbers that would be written out with hundreds of digits.
var hugeNumber = regexp.MustCompile(`^[0-9.]+[eE][+-]?[0-9]{3,}$`)

// acceptText refuses what should not even be given to the lexer. It reports and returns false.
func (c *collector) acceptText(src Source) bool {
	start := hcl.Range{Filename: src.Name, Start: hcl.InitialPos, End: hcl.InitialPos}
	if len(src.Bytes) > MaxBytes {
		c.report(start, "File too large", "This file is larger than %d MiB, which is the limit. Nothing of it was read.", MaxBytes>>20)
		return false
	}
	c.files[src.Name] = src.Bytes
	if at := bytes.IndexByte(src.Bytes, 0); at >= 0 {
		detail := "There is a NUL byte here, so this is not a text file."
		if bytes.HasPrefix(src.Bytes, []byte{0xff, 0xfe}) || bytes.HasPrefix(src.Bytes, []byte{0xfe, 0xff}) {
			detail = "This file is encoded in UTF-16. Save it as UTF-8."
		}
		c.report(rangeAt(src, at), "Not a text file", "%s", detail)
		return false
	}
	if at := invalidUTF8(src.Bytes); at >= 0 {
		c.report(rangeAt(src, at), "Not a text file", "The byte 0x%02x here is not valid UTF-8. Save the file as UTF-8.", src.Bytes[at])
		return false
	}
	return true
}

// acceptTokens refuses what would be nested too deeply for the parser.
func (c *collector) acceptTokens(tokens hclsyntax.Tokens) bool {
	// chains holds, for every open bracket, the operators since the last comma or newline.
	chains := make([]int, 1, MaxNesting+1)
	open := make([]hclsyntax.TokenType, 1, MaxNesting+1)
	total, lines := 0, 0
	for _, token := range tokens {
		switch token.Type {
		case hclsyntax.TokenStringLit, hclsyntax.TokenQuotedLit:
			lines++
		case hclsyntax.TokenOHeredoc, hclsyntax.TokenOQuote:
			lines = 0
		}
		if lines > maxLines {
			c.report(token.Range, "Text too long", "One text has at most %d lines.", maxLines)
			return false
		}
		top := len(chains) - 1
		switch token.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
			hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			// What was opened is itself a link of the chain: a[0][0], %{if}%{if}.
			chains[top]++
			total++
			if len(chains) > MaxNesting {
				c.report(token.Range, "Nested too deeply", "Blocks, brackets and templates may be nested %d deep, and this is one more.", MaxNesting)
				return false
			}
			chains, open = append(chains, 0), append(open, token.Type)
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote,
			hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			if top > 0 {
				total -= chains[top]
				chains, open = chains[:top], open[:top]
			}
		case hclsyntax.TokenNewline, hclsyntax.TokenComment:
			// Within parentheses and the like a newline is no end of anything. A comment to the end
			// of the line is one token with its newline.
			if !bytes.HasSuffix(token.Bytes, []byte("\n")) {
				continue
			}
			if open[top] == hclsyntax.TokenOBrace || top == 0 {
				total -= chains[top]
				chains[top] = 0
			}
		case hclsyntax.TokenComma:
			total -= chains[top]
			chains[top] = 0
		case hclsyntax.TokenNumberLit:
			if hugeNumber.Match(token.Bytes) || len(token.Bytes) > maxDigits {
				c.report(token.Range, "Number too large", "A number has at most %d digits, and its exponent at most two.", maxDigits)
				return false
			}
		case hclsyntax.TokenIdent, hclsyntax.TokenStringLit, hclsyntax.TokenQuotedLit, hclsyntax.TokenEOF:
		default:
			chains[top]++
			total++
		}
		if total > maxChain {
			c.report(token.Range, "Expression too long", "An expression has at most %d operators. Split it.", maxChain)
			return false
		}
	}
	if len(tokens) > MaxTokens {
		c.report(tokens[MaxTokens].Range, "File too long", "A file has at most %d words and signs, and this one has %d.", MaxTokens, len(tokens))
		return false
	}
	return true
}

// invalidUTF8 returns the index of the first byte that is not UTF-8, or -1.
func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// rangeAt returns the one-byte range at an offset.
func rangeAt(src Source, at int) hcl.Range {
	before := src.Bytes[:at]
	pos := hcl.Pos{
		Line:   1 + bytes.Count(before, []byte("\n")),
		Column: 1 + len(before) - (bytes.LastIndexByte(before, '\n') + 1),
		Byte:   at,
	}
	end := pos
	end.Column++
	end.Byte++
	return hcl.Range{Filename: src.Name, Start: pos, End: end}
}
