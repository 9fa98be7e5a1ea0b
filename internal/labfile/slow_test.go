package labfile

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Files as large as is accepted, of the sorts that a naive reader takes minutes for. The bound is
// wide, for machines that do other things at the same time: the quadratic ones took minutes.
func TestNoAcceptedFileIsSlow(t *testing.T) {
	for name, line := range map[string]func(i int) string{
		"variables":          func(i int) string { return fmt.Sprintf("variable \"v%d\" { default = 1 }\n", i) },
		"chain":              func(i int) string { return fmt.Sprintf("variable \"v%d\" { default = var.v%d }\n", i, i+1) },
		"unknown references": func(i int) string { return fmt.Sprintf("variable \"v%d\" { default = var.w%d }\n", i, i) },
		"unknown blocks":     func(int) string { return "x {}\n" },
		"attributes":         func(i int) string { return fmt.Sprintf("a%d = 1\n", i) },
		"scenarios":          func(i int) string { return fmt.Sprintf("scenario \"s%d\" {}\n", i) },
		"definitions":        func(i int) string { return fmt.Sprintf("scenario \"s%d\" { type = \"task\" }\n", i) },
		"heredocs":           func(i int) string { return fmt.Sprintf("a%d = <<A\nx\nA\n", i) },
		"unclosed heredocs":  func(int) string { return "a = <<A\n" },
		"unclosed quotes":    func(int) string { return "a = \"\n" },
		"unclosed blocks":    func(int) string { return "lab \"x\" {\n}{\n" },
		"syntax errors":      func(int) string { return "lab \"x\" { a = }\n" },
		"comments":           func(int) string { return "# a comment of some length, as there are many\n" },
		"closers":            func(int) string { return "}" },
		"words":              func(int) string { return "a " },
	} {
		t.Run(name, func(t *testing.T) {
			tokens, _ := hclsyntax.LexConfig([]byte(line(1)), "", hcl.InitialPos)
			var text strings.Builder
			text.WriteString("lab \"x\" {}\ncluster \"kind\" \"x\" {\n  node \"control-plane\" {}\n}\n")
			for i := 0; text.Len() < MaxBytes-100 && i < (MaxTokens-100)/(len(tokens)-1); i++ {
				text.WriteString(line(i))
			}
			start := time.Now()
			lab, diags := Parse(Source{Name: "x.hcl", Bytes: []byte(text.String())}, Options{})
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("%d bytes took %s", text.Len(), took)
			}
			if lab == nil && len(diags) == 0 {
				t.Error("neither a lab nor a problem")
			}
			for _, diag := range diags {
				if diag.Summary == "File too long" || diag.Summary == "Text too long" && name != "unclosed heredocs" {
					t.Error("refused, so that nothing was tried")
				}
			}
		})
	}
}

func TestTooManyTokens(t *testing.T) {
	_, diags := Parse(Source{Name: "x.hcl", Bytes: []byte(strings.Repeat("a\n", MaxTokens/2+1))}, Options{})
	if len(diags) != 1 || diags[0].Summary != "File too long" {
		t.Errorf("%v", diags)
	}
}
