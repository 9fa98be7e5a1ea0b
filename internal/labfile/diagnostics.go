package labfile

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty/function"
)

// maxProblems bounds a report: after these many nobody reads on, and a file of garbage would fill
// the screen.
const maxProblems = 100

// collector gathers the problems of one run and the texts that they were found in.
type collector struct {
	diags hcl.Diagnostics
	files map[string][]byte // by file name
	// partial is set once a file had syntax errors. What is missing from such a file may only have
	// been lost by the parser, so that nothing is reported as missing any more.
	partial bool
	// calls are the functions of the expressions that are evaluated while parsing.
	calls map[string]function.Function
	// manifests is what has been read of them.
	manifests budget
	// garbled holds, by file name, the offset of a quote that is never closed. What follows it is
	// read inside out, so that nothing is reported of it.
	garbled map[string]int
}

func newCollector() *collector {
	return &collector{files: map[string][]byte{}, garbled: map[string]int{}, calls: functions(maxResult)}
}

// report adds an error at rng. The detail is one or more full sentences.
func (c *collector) report(rng hcl.Range, summary, detail string, args ...any) {
	c.diags = append(c.diags, &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  summary,
		Detail:   fmt.Sprintf(detail, args...),
		Subject:  rng.Ptr(),
	})
}

// warn adds what is allowed and still worth a word. A file with warnings alone is valid.
func (c *collector) warn(rng hcl.Range, summary, detail string, args ...any) {
	c.diags = append(c.diags, &hcl.Diagnostic{
		Severity: hcl.DiagWarning,
		Summary:  summary,
		Detail:   fmt.Sprintf(detail, args...),
		Subject:  rng.Ptr(),
	})
}

// missing is report for what is not there; it is silent for a file with syntax errors.
func (c *collector) missing(rng hcl.Range, summary, detail string, args ...any) {
	if !c.partial {
		c.report(rng, summary, detail, args...)
	}
}

// reportNowhere adds an error that has no place in a file, such as a wrong --var.
func (c *collector) reportNowhere(summary, detail string, args ...any) {
	c.diags = append(c.diags, &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  summary,
		Detail:   fmt.Sprintf(detail, args...),
	})
}

// finish returns the problems sorted by file and position, each once, at most maxProblems of them,
// and each with the text that FormatDiagnostics shows of it.
func (c *collector) finish() hcl.Diagnostics {
	c.diags = slices.DeleteFunc(c.diags, func(d *hcl.Diagnostic) bool {
		if d.Subject == nil {
			return false
		}
		from, is := c.garbled[d.Subject.Filename]
		return is && d.Subject.Start.Byte > from
	})
	slices.SortStableFunc(c.diags, compareDiagnostics)
	c.diags = slices.CompactFunc(c.diags, func(a, b *hcl.Diagnostic) bool {
		return compareDiagnostics(a, b) == 0
	})
	if more := len(c.diags) - maxProblems; more > 0 {
		last := c.diags[maxProblems]
		c.diags = append(c.diags[:maxProblems:maxProblems], &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "Too many problems",
			Detail:   fmt.Sprintf("%d more problems follow from here on; they are not shown.", more),
			Subject:  last.Subject,
		})
	}
	shown := map[string]*snippets{}
	for _, diag := range c.diags {
		if diag.Subject == nil {
			continue
		}
		name := diag.Subject.Filename
		text, known := c.files[name]
		if !known {
			continue
		}
		if shown[name] == nil {
			shown[name] = newSnippets(text)
		}
		diag.Extra = shown[name].at(*diag.Subject)
	}
	if len(c.diags) == 0 {
		return nil
	}
	return c.diags
}

// compareDiagnostics orders by file, position and text; problems without a place come first.
func compareDiagnostics(a, b *hcl.Diagnostic) int {
	place := func(d *hcl.Diagnostic) hcl.Range {
		if d.Subject == nil {
			return hcl.Range{}
		}
		return *d.Subject
	}
	pa, pb := place(a), place(b)
	return cmp.Or(
		cmp.Compare(pa.Filename, pb.Filename),
		cmp.Compare(pa.Start.Byte, pb.Start.Byte),
		cmp.Compare(pa.End.Byte, pb.End.Byte),
		cmp.Compare(a.Summary, b.Summary),
		cmp.Compare(a.Detail, b.Detail),
	)
}
