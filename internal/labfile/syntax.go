package labfile

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// parseFile returns the body of a file, or nil when nothing of it can be used.
func (c *collector) parseFile(src Source) *hclsyntax.Body {
	if !c.acceptText(src) {
		return nil
	}
	// Lexing is linear and does not recurse; only what it yields may be parsed.
	tokens, _ := hclsyntax.LexConfig(src.Bytes, src.Name, hcl.InitialPos)
	if !c.acceptTokens(tokens) {
		return nil
	}
	c.checkQuotes(src.Name, tokens)
	body, diags := parseBody(src.Bytes, src.Name, hcl.InitialPos)
	if diags.HasErrors() {
		// The parser stops reporting at its first error. Block by block it finds one in each.
		c.partial = true
		body, diags = parsePieces(src, pieces(tokens))
	}
	c.hintEscapes(diags, "")
	c.diags = append(c.diags, diags...)
	if body != nil {
		boundNumbers(body)
	}
	return body
}

func parseBody(text []byte, name string, start hcl.Pos) (*hclsyntax.Body, hcl.Diagnostics) {
	file, diags := hclsyntax.ParseConfig(text, name, start)
	if file == nil {
		return nil, diags
	}
	body, _ := file.Body.(*hclsyntax.Body)
	return body, diags
}

// parsePieces parses every piece on its own and puts the bodies together.
func parsePieces(src Source, starts []hcl.Pos) (*hclsyntax.Body, hcl.Diagnostics) {
	whole := &hclsyntax.Body{Attributes: hclsyntax.Attributes{}}
	var all hcl.Diagnostics
	for i, start := range starts {
		end := len(src.Bytes)
		if i+1 < len(starts) {
			end = starts[i+1].Byte
		}
		body, diags := parseBody(src.Bytes[start.Byte:end], src.Name, start)
		for _, diag := range diags {
			// What is wrong with the rest of a line { x = } follows from what was wrong before it.
			if len(diags) == 1 || diag.Summary != "Invalid single-argument block definition" {
				all = append(all, diag)
			}
		}
		if body != nil {
			maps.Copy(whole.Attributes, body.Attributes)
			whole.Blocks = append(whole.Blocks, body.Blocks...)
		}
	}
	return whole, all
}

// pieces returns where the top-level items of a file begin. Within a block that is not closed, a
// line that begins with the name of a top-level block counts as one.
func pieces(tokens hclsyntax.Tokens) []hcl.Pos {
	topLevel := []string{"lab", "variable", "host", "cluster", "scenario"}
	var starts []hcl.Pos
	depth, fresh := 0, true
	for i, token := range tokens {
		if token.Type == hclsyntax.TokenIdent && token.Range.Start.Column == 1 && i+1 < len(tokens) &&
			tokens[i+1].Type == hclsyntax.TokenOQuote && slices.Contains(topLevel, string(token.Bytes)) {
			depth, fresh = 0, true
		}
		switch token.Type {
		case hclsyntax.TokenNewline, hclsyntax.TokenComment:
			fresh = fresh || depth == 0
			continue
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
			hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote,
			hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			depth = max(0, depth-1)
		}
		if fresh && token.Type != hclsyntax.TokenEOF {
			starts = append(starts, token.Range.Start)
			fresh = false
		}
	}
	return starts
}

// checkQuotes finds the first quote that is not closed on its line. The parser would report every
// line from there to the end of the file.
func (c *collector) checkQuotes(name string, tokens hclsyntax.Tokens) {
	var quotes []hcl.Range
	for _, token := range tokens {
		switch token.Type {
		case hclsyntax.TokenOQuote:
			quotes = append(quotes, token.Range)
		case hclsyntax.TokenCQuote:
			quotes = quotes[:max(0, len(quotes)-1)]
		case hclsyntax.TokenQuotedNewline:
			if len(quotes) == 0 {
				continue
			}
			opening := quotes[len(quotes)-1]
			c.report(opening, "Unclosed quote", "This quote is not closed on its line. For a text of several lines write <<-EOT … EOT.")
			c.garbled[name] = opening.Start.Byte
			c.partial = true
			return
		}
	}
}
