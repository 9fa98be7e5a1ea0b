package cli

import (
	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/view"
	"github.com/labctl/labctl/scenarios"
)

// resultItem shows a scenario's result in words: what it is, and of a no what holds and what is missing.
// With evidence, what is missing comes with what was seen instead.
func resultItem(r scenarios.Result, evidence bool) view.Item {
	item := view.Item{Mark: markOf(r.Verdict), Name: r.Scenario, Text: r.Reason}
	if r.Verdict == scenarios.Holds {
		return item
	}
	for _, f := range r.Points() {
		part := view.Item{Mark: markOf(f.Verdict), Text: f.Words()}
		if evidence && f.Verdict != scenarios.Holds {
			part.Evidence = brief(f.Evidence())
		}
		item.Parts = append(item.Parts, part)
	}
	if evidence && len(item.Parts) == 0 {
		item.Evidence = brief(r.Evidence())
	}
	return item
}

// printResult prints a scenario's result, with the debrief where it is over, and returns its exit class.
func (a *app) printResult(r scenarios.Result, evidence bool) error {
	err := a.print(r, func() {
		p := a.printer()
		p.List(resultItem(r, evidence))
		if r.Debrief != "" {
			p.Blank()
			p.Text("%s", r.Debrief)
		}
		p.Next(r.Next)
	})
	if err != nil || r.Verdict == scenarios.Holds {
		return err
	}
	return silent(clierr.ClassOf(r.Err()))
}

// printSeeded introduces a scenario: what it is about, and that it is as declared.
func (a *app) printSeeded(r scenarios.Result) error {
	if a.output == "text" {
		p := a.printer()
		p.Title("%s", r.Title)
		p.Text("%s", r.Summary)
		p.Blank()
	}
	return a.printResult(r, false)
}
