package labfile

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/labctl/labctl/internal/text"
	"github.com/labctl/labctl/internal/untrusted"
)

// Problem is a diagnostic as it is written in JSON. Lines and columns count from 1; they are 0 for
// a problem that lies in no file.
type Problem struct {
	Severity string `json:"severity"` // "error" or "warning"
	Summary  string `json:"summary"`
	Detail   string `json:"detail,omitempty"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Snippet  string `json:"snippet,omitempty"` // the line, printable
}

// Problems returns diagnostics as they are written in JSON, in their order.
func Problems(diags hcl.Diagnostics) []Problem {
	all := make([]Problem, 0, len(diags))
	for _, diag := range diags {
		p := Problem{Severity: "error", Summary: untrusted.Text(diag.Summary), Detail: untrusted.Text(diag.Detail)}
		if diag.Severity == hcl.DiagWarning {
			p.Severity = "warning"
		}
		if at := diag.Subject; at != nil {
			p.File, p.Line, p.Column = fileName(at.Filename), at.Start.Line, at.Start.Column
		}
		if s, is := diag.Extra.(*snippet); is && s != nil {
			p.Snippet = s.line
		}
		all = append(all, p)
	}
	return all
}

// FormatDiagnostics writes diagnostics for people: each with its place, the line and a mark under
// what is wrong. Those that Parse, ParseDefinition and Render return carry their lines with them.
// Off a terminal width is 0, and nothing is wrapped or cut. The error is w's.
func FormatDiagnostics(w io.Writer, diags hcl.Diagnostics, width int, color bool) error {
	out := bufio.NewWriter(w)
	paint := func(code, what string) string {
		if !color {
			return what
		}
		return "\x1b[" + code + "m" + what + "\x1b[0m"
	}
	for i, diag := range diags {
		if i > 0 {
			fmt.Fprintln(out)
		}
		severity := paint("1;31", "Error:")
		if diag.Severity == hcl.DiagWarning {
			severity = paint("1;33", "Warning:")
		}
		summary := untrusted.Text(diag.Summary)
		fmt.Fprintln(out, text.WrapLines(severity+" "+paint("1", strings.ReplaceAll(summary, "\n", "\n  ")), width, 2))
		if at := diag.Subject; at != nil {
			fmt.Fprintf(out, "  on %s:%d:%d\n", fileName(at.Filename), at.Start.Line, at.Start.Column)
			if s, is := diag.Extra.(*snippet); is && s != nil && s.line != "" {
				gutter := fmt.Sprintf("%5d │ ", at.Start.Line)
				line, mark, size := s.within(width - text.Width(gutter))
				fmt.Fprintf(out, "%s%s\n", gutter, line)
				fmt.Fprintf(out, "      │ %s%s\n", strings.Repeat(" ", mark), paint("31", strings.Repeat("^", size)))
			}
		}
		if diag.Detail != "" {
			fmt.Fprintln(out, text.WrapLines("  "+strings.ReplaceAll(untrusted.Text(diag.Detail), "\n", "\n  "), width, 0))
		}
	}
	return out.Flush()
}

// within cuts the line to a terminal's width, keeping the beginning of the mark in sight.
func (s *snippet) within(width int) (line string, mark, size int) {
	whole := text.Width(s.line)
	if width < 20 || whole <= width {
		return s.line, s.mark, s.size
	}
	from := max(0, min(s.mark-width/2, whole-width))
	line = text.Cut(s.line, from, from+width)
	mark = s.mark - from
	return line, mark, max(1, min(s.size, width-mark))
}

// fileName is how messages call a file.
func fileName(name string) string {
	if name == Stdin {
		return "<stdin>"
	}
	return untrusted.Exact(name)
}
