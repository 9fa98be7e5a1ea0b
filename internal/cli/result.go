package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/text"
	"github.com/labctl/labctl/internal/view"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/scenarios"
)

// markOf is how a verdict looks in a list.
func markOf(v provision.Verdict) view.Mark {
	switch v {
	case provision.Holds:
		return view.Good
	case provision.Inconclusive:
		return view.Uncertain
	}
	return view.Bad
}

// markOfState is how an answer looks in a list of a scenario in this state: one that is as declared, and so still to be
// worked on, is neither good nor bad.
func markOfState(v provision.Verdict, s scenarios.State) view.Mark {
	if v == provision.Holds && (s == scenarios.Broken || s == scenarios.Open) {
		return view.Neutral
	}
	return markOf(v)
}

// brief cuts long lines of evidence, such as a container's whole command; JSON has them in full.
func brief(evidence []string) []string {
	const most = 200
	short := make([]string, len(evidence))
	for i, line := range evidence {
		short[i] = text.Shorten(line, most)
	}
	return short
}

// resultItem shows a scenario's result in words: what it is, and of a no what holds and what is missing.
// With evidence, what is missing comes with what was seen instead.
func resultItem(r scenarios.Result, evidence bool) view.Item {
	item := view.Item{Mark: markOfState(r.Verdict, r.State), Name: r.Scenario, Text: r.Reason}
	if r.Verdict == scenarios.Holds && r.State == scenarios.Broken { // the reason is the symptom, which is the learner's to find
		item.Text = "broken as declared: its symptom was seen"
	}
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
	err := a.print(r, func(p *view.Printer) {
		p.List(resultItem(r, evidence))
		if r.Level == labfile.Draft {
			p.Text("draft: no wrong fix was ever tried against this check")
		}
		if r.Debrief != "" {
			p.Blank()
			p.Text("%s", r.Debrief)
		}
		p.Next(r.Next)
	})
	if err != nil || r.Verdict == scenarios.Holds {
		return err
	}
	return clierr.Silent(clierr.ClassOf(r.Err()))
}

// printReport lists what was seen of each resource; with evidence, what does not hold comes with what it
// rests on.
func printReport(p *view.Printer, r *lab.Report, evidence bool) {
	var items []view.Item
	var next []string
	for _, row := range r.Resources {
		item := view.Item{Mark: markOfState(row.Verdict, scenarios.State(row.Phase)), Name: row.Addr, Text: row.Reason}
		if row.Verdict != provision.Holds {
			if evidence {
				item.Evidence = brief(row.Evidence)
			}
			if !slices.Contains(next, row.Next) {
				next = append(next, row.Next)
			}
		}
		items = append(items, item)
	}
	p.List(items...)
	p.Next(next...)
}

// printOutcome says what there is after a failure, and prints what was seen of the lab.
func (a *app) printOutcome(out lab.Outcome, all []*labfile.Scenario) error {
	a.printExisting(out.Exists)
	if out.Report == nil {
		return nil
	}
	missing := out.Report.Missing()
	took := seconds(out.Report.Seconds)
	err := a.print(out.Report, func(p *view.Printer) {
		printReport(p, out.Report, false)
		if missing != nil {
			fmt.Fprintf(a.Out, "\nLab %s is not as declared after %s.\n", out.Report.Lab, took)
			fmt.Fprintf(a.Out, "Next: the same command again goes on from here; `labctl down %s` takes it all away.\n", out.Report.Lab)
			return
		}
		fmt.Fprintf(a.Out, "\nLab %s is up after %s.\n", out.Report.Lab, took)
		p.List(goals(upTasks(out.Report, all))...)
		fmt.Fprintln(a.Out, "Next: `labctl shell` to work in it, `labctl task NAME` to read what there is to do, `labctl check NAME` when you think that it is done, `labctl down` to end it.")
	})
	if missing != nil {
		return missing
	}
	return err
}

// printExisting says what there is of a lab after a failure or an interruption.
func (a *app) printExisting(e *lab.Existing) {
	if e == nil {
		return
	}
	nothing := e.Problem == "" && e.Host == nil && len(e.Containers) == 0
	if h := e.Host; h != nil {
		nothing = h.State == "gone"
	}
	switch h := e.Host; {
	case nothing:
		a.say("Nothing of the lab exists.")
		return
	case e.Problem != "" && e.Group == "":
		a.say("What exists of lab %s cannot be told now: %s", e.Lab, e.Problem)
	case h == nil:
		a.say("What exists of lab %s: %s", e.Lab, strings.Join(e.Containers, ", "))
	case e.Problem != "":
		a.say("What exists of lab %s, as last seen: security group %s, %s. It cannot be told now: %s", e.Lab, e.Group, h, e.Problem)
	case h.Instance == "" || h.State == "no instance":
		a.say("What exists of lab %s: a security group in %s, which costs nothing", e.Lab, h.Region)
	default:
		a.say("What exists of lab %s: %s", e.Lab, h)
	}
	a.say("The same command again goes on from here; `labctl down %s` takes it all away.", e.Lab)
}
