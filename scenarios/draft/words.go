package draft

import (
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/internal/untrusted"
)

// quote writes a text as HCL, harmless for a terminal, and with nothing in it that is a template.
func quote(s string) string {
	return string(hclwrite.TokensForValue(cty.StringVal(untrusted.Text(s))).Bytes())
}

// list writes texts as a list of HCL.
func list(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
