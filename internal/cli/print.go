package cli

import (
	"slices"

	"github.com/labctl/labctl/internal/text"
	"github.com/labctl/labctl/internal/view"
	"github.com/labctl/labctl/provision"
)

// markOf is how a verdict looks in a list.
func markOf(v provision.Verdict) view.Mark {
	switch v {
	case provision.Holds:
		return view.Good
	case provision.CannotTell:
		return view.Uncertain
	}
	return view.Bad
}

// printer lays results out on stdout, in colour only where that is a terminal.
func (a *app) printer() *view.Printer {
	return view.NewPrinter(a.stdout, isTerminal(a.Out) && a.colour()).Width(columnsOf(a.Process.Out))
}

// errors lays messages out on stderr.
func (a *app) messages() *view.Printer { return view.NewPrinter(a.stderr, a.colour()).Width(a.width()) }

// brief cuts long lines of evidence, such as a container's whole command; JSON has them in full.
func brief(evidence []string) []string {
	const most = 200
	short := make([]string, len(evidence))
	for i, line := range evidence {
		short[i] = text.Shorten(line, most)
	}
	return short
}

// printVerify lists what was seen of each resource; with evidence, what does not hold comes with what it
// rests on.
func (a *app) printVerify(v *verification, evidence bool) {
	p := a.printer()
	var items []view.Item
	var next []string
	for _, r := range v.Resources {
		item := view.Item{Mark: markOf(r.Verdict), Name: r.Addr, Text: r.Reason}
		if r.Verdict != provision.Holds {
			if evidence {
				item.Evidence = brief(r.Evidence)
			}
			if !slices.Contains(next, r.Next) {
				next = append(next, r.Next)
			}
		}
		items = append(items, item)
	}
	p.List(items...)
	p.Next(next...)
}
