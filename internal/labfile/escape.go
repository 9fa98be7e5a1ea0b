package labfile

import (
	"bytes"
	"cmp"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// escapeHint says how a template sequence is written that is not meant for labctl, where rng lies
// within one that begins on the same line; else it is empty. Commands and manifests are full of
// them: curl's %{http_code}, the shell's ${HOME}.
func (c *collector) escapeHint(rng hcl.Range) string {
	text := c.files[rng.Filename]
	at := rng.Start.Byte
	if at < 0 || at > len(text) {
		return ""
	}
	line := text[bytes.LastIndexByte(text[:at], '\n')+1 : min(at+len("${"), len(text))]
	for i := len(line) - len("${"); i >= 0; i-- {
		if line[i] == '}' {
			return ""
		}
		sign := line[i]
		if line[i+1] != '{' || sign != '$' && sign != '%' {
			continue
		}
		if i > 0 && line[i-1] == sign {
			return "" // escaped already
		}
		return fmt.Sprintf(" If this %c{ is not meant for labctl, write %c%c{.", sign, sign, sign)
	}
	return ""
}

// hintEscapes adds the hint to problems of a parser that lie within a template sequence, and other
// words to the rest.
func (c *collector) hintEscapes(diags hcl.Diagnostics, otherwise string) {
	for _, diag := range diags {
		if diag.Subject != nil {
			diag.Detail += cmp.Or(c.escapeHint(*diag.Subject), otherwise)
		}
	}
}

// checkFilled reports template sequences that hold nothing but a number or the like. ${1} is a shell's first
// argument, and would silently become 1.
func (c *collector) checkFilled(node hclsyntax.Node) bool {
	var parts []hclsyntax.Expression
	switch e := node.(type) {
	case *hclsyntax.TemplateExpr:
		parts = e.Parts
	case *hclsyntax.TemplateWrapExpr:
		parts = []hclsyntax.Expression{e.Wrapped}
	}
	ok := true
	for _, part := range parts {
		if literal, is := part.(*hclsyntax.LiteralValueExpr); is && literal.Val.Type() != cty.String {
			c.report(literal.Range(), "Nothing to fill in", "This template sequence refers to nothing.%s", c.escapeHint(literal.Range()))
			ok = false
		}
	}
	return ok
}
