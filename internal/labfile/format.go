package labfile

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/mitchellh/go-wordwrap"
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
		p := Problem{Severity: "error", Summary: clean(diag.Summary), Detail: clean(diag.Detail)}
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
	paint := func(code, text string) string {
		if !color {
			return text
		}
		return "\x1b[" + code + "m" + text + "\x1b[0m"
	}
	for i, diag := range diags {
		if i > 0 {
			fmt.Fprintln(out)
		}
		severity := paint("1;31", "Error:")
		if diag.Severity == hcl.DiagWarning {
			severity = paint("1;33", "Warning:")
		}
		fmt.Fprintf(out, "%s %s\n", severity, paint("1", clean(diag.Summary)))
		if at := diag.Subject; at != nil {
			fmt.Fprintf(out, "  on %s:%d:%d\n", fileName(at.Filename), at.Start.Line, at.Start.Column)
			if s, is := diag.Extra.(*snippet); is && s != nil && s.line != "" {
				gutter := fmt.Sprintf("%5d │ ", at.Start.Line)
				line, mark, size := s.within(width - len([]rune(gutter)))
				fmt.Fprintf(out, "%s%s\n", gutter, line)
				fmt.Fprintf(out, "      │ %s%s\n", strings.Repeat(" ", mark), paint("31", strings.Repeat("^", size)))
			}
		}
		if diag.Detail != "" {
			detail := clean(diag.Detail)
			if width > 20 {
				detail = wordwrap.WrapString(detail, uint(width-2))
			}
			fmt.Fprintf(out, "  %s\n", strings.ReplaceAll(detail, "\n", "\n  "))
		}
	}
	return out.Flush()
}

// within cuts the line to a terminal's width, keeping the beginning of the mark in sight.
func (s *snippet) within(width int) (line string, mark, size int) {
	runes := []rune(s.line)
	if width < 20 || len(runes) <= width {
		return s.line, s.mark, s.size
	}
	from := max(0, min(s.mark-width/2, len(runes)-width))
	shown := append([]rune{}, runes[from:from+width]...)
	if from > 0 {
		shown[0] = '…'
	}
	if from+width < len(runes) {
		shown[width-1] = '…'
	}
	mark = s.mark - from
	return string(shown), mark, max(1, min(s.size, width-mark))
}

// fileName is how messages call a file.
func fileName(name string) string {
	if name == Stdin {
		return "<stdin>"
	}
	return clean(name)
}

// clean makes a message printable, but for its newlines: it may quote other people's text.
func clean(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = printable([]byte(line))
	}
	return strings.Join(lines, "\n")
}
